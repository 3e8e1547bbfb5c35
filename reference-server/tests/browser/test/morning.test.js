// One morning of a school, from the list of its students to the letter about the absent and the printed register: the
// pages as the office uses them, a tablet at the gate, a mail server, and a receiver of webhooks that is away at first.
//
// It passes at any hour: the site has the time zone in which it is between eight and nine now, so no day ends while it
// runs. The two times of the clock that matter, from when on one is late and when it is asked who is absent, are set to
// the next seconds once everybody who comes before is there: nobody waits for a minute to end, and no machine is slow.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DESKTOP, barriers, choose, go, launch, logIn, open, picture } from "../src/browser.js";
import { peopleIn, photographed, standing } from "../src/people.js";
import { Camera } from "../src/person.js";
import { PASSWORD, USER, openPostOffice, textOf } from "../src/post-office.js";
import { Receiver } from "../src/receiver.js";
import { follow } from "../src/registration.js";
import { MEDIA, PICTURES, startServer } from "../src/server.js";

// A debug build on a busy machine takes its time over a picture.
const SOON = 60_000;
const TABLET = { width: 800, height: 1280 };
const PIN = "493027";
const PERIOD = "morning";
const EVERY_DAY = "mon tue wed thu fri sat sun";

// Hours before Greenwich: those of the site are 8 now.
const AHEAD = ((8 - new Date().getUTCHours() + 12 + 24) % 24) - 12;
const ZONE = AHEAD === 0 ? "Etc/GMT" : `Etc/GMT${AHEAD > 0 ? "-" : "+"}${Math.abs(AHEAD)}`;
const siteTime = (moment) => new Date(moment + AHEAD * 3_600_000).toISOString();
const TODAY = siteTime(Date.now()).slice(0, 10);
const clockIn = (seconds) => siteTime(Date.now() + seconds * 1000).slice(11, 19);

const CLASSES = ["5A", "5B", "6A", "6B", "7A", "7B", "8A", "8B", "9A", "9B"];
const FIRST = [
  "Asha", "Björn", "Chen", "Dina", "Emil", "Fatima", "Goran", "Hana", "Iker", "Jana", "Kofi", "Lior", "Mei", "Noor",
  "Olga", "Pavel", "Quang", "Rosa", "Samir", "Tova",
];
const LAST = [
  "Rao", "Müller", "Wei", "Ali", "Novák", "Diallo", "Horvat", "Sato", "Ibarra", "Kowalska", "Mensah", "Levi", "Lin",
  "Haddad", "Østergård",
];
// 30 in each class; nobody has the name of another one.
const SCHOOL = Array.from({ length: 300 }, (_, at) => ({
  roll: String(at + 1).padStart(4, "0"), name: `${FIRST[at % 20]} ${LAST[at % 15]}${at < 60 ? "" : ` ${at}`}`,
  group: CLASSES[Math.floor(at / 30)], status: "Pending",
}));
// Twelve have a face: eight come in time, two late, one is excused, and one stays away.
const IN_TIME = [0, 1, 2, 3, 4, 30, 31, 32].map((at) => SCHOOL[at]);
const LATE = [5, 33].map((at) => SCHOOL[at]);
const EXCUSED = SCHOOL[6];
const AWAY = SCHOOL[60];
const REGISTERED = [...IN_TIME, ...LATE, EXCUSED, AWAY];
const [TURNS, POSES, POSES_TOO] = [IN_TIME[0], LATE[0], IN_TIME[5]];
const PHOTOGRAPHED = REGISTERED.filter((student) => ![TURNS, POSES, POSES_TOO].includes(student));

let camera;
let browser;
let server;
let admin;
let office;
let tablet;
let letters;
let missing;
let toldAt;
const receiver = new Receiver(3);

before(async () => {
  letters = await openPostOffice();
  await receiver.start();
  // The certificate of the mail server is the site's own.
  const authority = letters.missing ? [] : ["--notice-ca", letters.authority];
  server = await startServer({
    timeZone: ZONE, more: ["--gate-liveness", "off", "--notice-hosts", "loopback", ...authority],
  });
  missing = !server.folder ? "the server is not the tests' own" : letters.missing;
  if (missing) return;
  camera = new Camera();
  browser = await launch(camera.path);
  for (const [at, files] of photographed().entries()) PHOTOGRAPHED[at].files = files;
  const shown = PHOTOGRAPHED.filter((student) => student.files);
  const poses = ["hopper", "collins", "obama"].map((person) => join(MEDIA, person, "yaw+05.jpg"));
  const clips = await standing(browser, [...poses, ...shown.map((student) => student.files.shown)]);
  for (const [at, student] of [TURNS, POSES, POSES_TOO, ...shown].entries()) student.clip = clips[at];
  ({ hopper: TURNS.registered } = await peopleIn(browser, ["hopper"]));
  admin = await open(browser, server.url, { timezoneId: ZONE });
  await logIn(admin);
});

after(async () => {
  await browser?.close();
  camera?.close();
  await server?.stop();
  letters?.close?.();
  receiver.stop();
});

const morning = (name, body) => test(name, async (t) => (missing ? t.skip(missing) : body(t)));

// The API as the admin's page asks it.
async function call(method, path, body) {
  const { status, answer } = await admin.evaluate(async ([asked, where, sent]) => {
    const headers = { Authorization: `Bearer ${sessionStorage.getItem("faceattend.token")}` };
    if (sent) headers["Content-Type"] = "application/json";
    const response = await fetch(new URL(`../api/v1${where}`, location.href), {
      method: asked, headers, body: sent && JSON.stringify(sent),
    });
    return { status: response.status, answer: await response.json() };
  }, [method, path, body]);
  assert.equal(status, 200, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const says = (page, id, text) => page.waitForFunction(
  ([where, what]) => document.getElementById(where).textContent.includes(what), [id, text], { timeout: SOON },
);

// Looks until `look` finds something.
async function until(look, what) {
  const ends = Date.now() + SOON;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < ends, `${what} in vain`);
    await admin.waitForTimeout(50);
  }
}

const names = (students) => students.map(({ name }) => name).sort();
const are = (...statuses) => SCHOOL.filter(({ status }) => statuses.includes(status));

// What the board shows: its figures, and the names in the lists of each class.
const board = () => office.evaluate(() => ({
  figures: Object.fromEntries([...document.querySelectorAll("#today-figures > div")].map((one) =>
    [one.querySelector("dt").textContent, Number(one.querySelector("dd").textContent)])),
  classes: Object.fromEntries([...document.querySelectorAll("#today-board .card")].map((card) => [
    card.querySelector("h2").textContent,
    Object.fromEntries([...card.querySelectorAll("details")].map((list) => [
      list.querySelector("summary").textContent,
      [...list.querySelectorAll("li a")].map((link) => link.textContent).sort(),
    ])),
  ])),
}));

// The board as it has to be by what has happened: it is not touched, and follows by itself.
async function boardIsRight() {
  const count = (...statuses) => are(...statuses).length;
  const figures = { Expected: 300, Present: count("Present"), Missing: count("Absent") };
  for (const [figure, status] of [["Late", "Late"], ["Excused", "Excused"], ["Still to come", "Pending"]])
    if (count(status) > 0) figures[figure] = count(status);
  const classes = Object.fromEntries(CLASSES.map((group) => {
    const lists = [["missing", "Absent"], ["late", "Late"], ["excused", "Excused"]].map(([word, status]) => {
      const members = are(status).filter((student) => student.group === group);
      return [`${members.length} ${word}`, names(members)];
    });
    return [group, Object.fromEntries(lists.filter(([, members]) => members.length > 0))];
  }));
  const wanted = { figures, classes };
  const same = async () => {
    try {
      assert.deepEqual(await board(), wanted);
      return true;
    } catch {
      return false;
    }
  };
  await until(same, "the board was looked at").catch(() => {});
  assert.deepEqual(await board(), wanted);
}

// Somebody comes to the gate: before its camera, or to the supervisor who has the PIN. The greeting is what was
// written; then they walk on, and the gate sees that.
async function comes(student, status) {
  if (student.clip) {
    camera.sit(student.clip);
  } else {
    await tablet.click("#fallback-open");
    await tablet.fill("#fallback-roll", student.roll);
    await tablet.fill("#fallback-pin", PIN);
    await tablet.keyboard.press("Enter");
  }
  const greeting = await tablet.waitForFunction((name) => {
    const [shown, said] = ["name", "status"].map((part) => document.getElementById(`greeting-${part}`).textContent);
    return shown === name && said;
  }, student.name, { timeout: SOON });
  assert.match(await greeting.jsonValue(), new RegExp(`^${status}, 0[89]:\\d\\d$`), student.name);
  student.status = status;
  // Of the people whose pictures may be published.
  if ([TURNS, POSES].includes(student)) await picture(tablet, `morning-kiosk-${status.toLowerCase()}`);
  if (student.clip) {
    camera.leave();
    await tablet.waitForResponse(async (response) =>
      response.url().endsWith("/kiosk/frame") && (await response.json()).faces === 0, { timeout: SOON });
  }
}

morning("a list of 300 is imported as it was shown, and the same list again changes nothing", async () => {
  const lines = SCHOOL.map(({ name, roll, group }) => `${name},${roll},${group}`);
  const buffer = Buffer.from(["name,roll_number,class", ...lines].join("\n"));
  const file = { name: "school.csv", mimeType: "text/csv", buffer };
  const counts = async () => {
    const [fresh, changed, unchanged, gone, problems] = await admin.locator("#import-counts dd").allTextContents();
    return { fresh, changed, unchanged, gone, problems };
  };
  await go(admin, "groups");
  await admin.click("#groups-import");
  await admin.setInputFiles("#import-file", file);
  await says(admin, "import-note", "Look at what will change");
  assert.deepEqual(await counts(), { fresh: "300", changed: "0", unchanged: "0", gone: "0", problems: "0" });
  assert.equal((await call("GET", "/students/?limit=1")).total, 0, "a preview writes nothing");
  await picture(admin, "morning-import");
  await admin.click("#import-apply");
  await says(admin, "import-note", "New: 300. Changed: 0.");
  await admin.setInputFiles("#import-file", file);
  await says(admin, "import-note", "Nothing to change");
  assert.deepEqual(await counts(), { fresh: "0", changed: "0", unchanged: "300", gone: "0", problems: "0" });
  assert.ok(await admin.isDisabled("#import-apply"));

  // The photographs of those who have some, each named by its roll number.
  const photographs = PHOTOGRAPHED.filter((student) => student.files).map(({ roll, files }) =>
    ({ name: `${roll}.jpg`, mimeType: "image/jpeg", buffer: readFileSync(files.enrolled) }));
  if (photographs.length > 0) {
    await admin.setInputFiles("#import-file", []);
    await admin.setInputFiles("#import-photos", photographs);
    await admin.click("#import-apply");
    await says(admin, "import-note", `${photographs.length} students enrolled by photographs`);
  }
  await admin.click("#import-close");
  assert.deepEqual(
    await admin.$$eval("#groups-rows tr", (rows) => rows.map((row) => row.querySelectorAll("td")[2].textContent)),
    CLASSES.map(() => "30"),
  );
});

morning("twelve have a face: one turned the head as the page asked", async () => {
  const found = (await call("GET", "/students/?limit=1000")).items;
  for (const student of SCHOOL) student.id = found.find(({ roll_number: roll }) => roll === student.roll).id;
  await go(admin, "students");
  await admin.fill("#search", TURNS.roll);
  await admin.keyboard.press("Enter");
  await admin.waitForFunction(() => document.querySelectorAll("#students-rows tr").length === 1);
  await choose(admin, "New face", TURNS.name);
  camera.sit(TURNS.registered);
  await admin.click("#register-start");
  await follow(camera, admin, "Student embeddings captured and saved successfully");
  camera.leave();
  // Two more of the sample media, as another client registers them.
  for (const [student, person] of [[POSES, "collins"], [POSES_TOO, "obama"]]) {
    const { data: { session_id } } = await call("POST", "/liveness/session", { mirrored: false });
    for (const position of ["center", "left", "right"]) {
      const frame_data = readFileSync(join(MEDIA, person, `${position}.jpg`)).toString("base64");
      await call("POST", "/liveness/detect", { session_id, position, frame_data });
    }
    await call("POST", "/liveness/complete", { session_id, student_id: student.id });
  }
  const faceless = (await call("GET", "/students/?no_face=true&limit=1")).total;
  assert.equal(300 - faceless, REGISTERED.filter(({ clip }) => clip).length);
});

morning("the day is set up on the pages: timetable, kiosk, channels, rules, and somebody at the board", async () => {
  await go(admin, "groups");
  await admin.click("#timetable-form >> xpath=ancestor::details/summary");
  for (const day of await admin.locator("#timetable-weekdays input").all()) await day.check();
  await admin.click("#timetable-more");
  await admin.fill("#timetable-periods input[name=name]", PERIOD);
  await admin.fill("#timetable-periods input[name=begins]", "07:30");
  await admin.fill("#timetable-periods input[name=late_after]", "11:00");
  await admin.click("#timetable-form button[type=submit]");
  await says(admin, "timetable-versions", "late from 11:00");

  await go(admin, "cameras");
  await admin.click("#kiosks-add");
  await admin.fill("#kiosk-name", "Tablet 1");
  await admin.fill("#kiosk-location", "Main gate");
  await admin.selectOption("#kiosk-gate", "");
  await admin.fill("#kiosk-pin", PIN);
  await admin.click("#kiosk-dialog form button:text-is('Save')");
  const code = await admin.locator("#kiosk-code").textContent();
  const context = await browser.newContext({
    viewport: TABLET, locale: "en-GB", timezoneId: ZONE, permissions: ["camera"],
  });
  tablet = await context.newPage();
  tablet.problems = [];
  tablet.on("pageerror", (error) => tablet.problems.push(String(error)));
  await tablet.goto(`${server.url}/ui/kiosk#${code}`);
  await tablet.waitForSelector("#gate:not([hidden])");
  await says(admin, "kiosks-note", "The tablet of Tablet 1 is paired.");

  await go(admin, "notices");
  await admin.click("#notices-add-webhook");
  await admin.fill("#channel-name", "School software");
  await admin.fill("#channel-url", receiver.url);
  await admin.click("#channel-propose");
  receiver.secret = await admin.inputValue("#channel-secret");
  await admin.click("#channel-form button[type=submit]");
  await says(admin, "notices-note", "School software was saved.");
  await admin.click("#notices-add-email");
  for (const [field, value] of Object.entries({
    name: "Letters", host: "localhost", port: letters.port, user: USER, secret: PASSWORD, from: "office@school.example",
    window: 0,
  })) await admin.fill(`#channel-${field}`, String(value));
  await admin.click("#channel-form button[type=submit]");
  await says(admin, "notices-note", "Letters was saved.");
  for (const [name, event, channel, address] of [
    ["Every mark", "marked", "School software", ""], ["Absent", "absent", "Letters", "head@school.example"],
  ]) {
    await admin.click("#notices-add-rule");
    await admin.fill("#rule-name", name);
    await admin.selectOption("#rule-event", event);
    if (event === "absent") await admin.fill("#rule-at", "11:00");
    await admin.locator("#rule-channels label", { hasText: channel }).locator("input").check();
    await admin.fill("#rule-addresses", address);
    await admin.click("#rule-form button[type=submit]");
    await says(admin, "notices-note", `${name} was saved.`);
  }
  await picture(admin, "morning-notices");

  await call("POST", "/auth/users", { username: "olga", password: "correct horse", role: "operator" });
  office = await open(browser, server.url, { timezoneId: ZONE });
  await logIn(office, "olga", "correct horse");
  await office.waitForSelector("#page-today:not([hidden])");
  await boardIsRight();
});

morning("who comes in time is on the board, and a server that is killed before it tells so tells it once", async () => {
  const [first, second, third, ...others] = IN_TIME;
  await comes(first, "Present");
  await boardIsRight();
  await comes(second, "Present");
  await comes(third, "Present");
  // Marked, tried, and not taken: between the two the server dies.
  await until(async () => {
    const { items } = await call("GET", "/notices?state=waiting&limit=100");
    return items.some(({ last_error: error }) => error) && items.length === 3;
  }, "a try that failed was looked for");
  await server.restart({ signal: "SIGKILL" });
  for (const student of others) await comes(student, "Present");
  await boardIsRight();
  assert.deepEqual(letters.letters, [], "it is not the time for letters");
});

morning("late after is late, the excused is excused, and everybody else is missing", async () => {
  await go(office, "groups");
  await office.fill("#excuses-who", EXCUSED.roll);
  await office.fill("#excuses-first", TODAY);
  await office.fill("#excuses-reason", "At the dentist");
  await office.click("#excuses-form button[type=submit]");
  await says(office, "excuses-note", EXCUSED.name);
  EXCUSED.status = "Excused";
  await go(office, "today");
  await boardIsRight();
  assert.match(await office.textContent("#today-board"), /At the dentist/);

  const periods = [{ name: PERIOD, begins: "07:30", late_after: clockIn(1) }];
  await call("POST", "/timetables", { weekdays: EVERY_DAY, periods });
  await until(() => clockIn(0) > periods[0].late_after, "the clock was looked at");
  for (const student of LATE) {
    await comes(student, "Late");
    // Whoever did not come by then is missing.
    for (const other of are("Pending")) other.status = "Absent";
    await boardIsRight();
  }
  await picture(office, "morning-board");
  assert.deepEqual(await barriers(office, "the board of a school"), []);
});

morning("who is absent at the time is told in one letter, and each mark to the webhook once", async () => {
  const rule = (await call("GET", "/notices/rules")).data.rules.find(({ event }) => event === "absent");
  await call("PUT", `/notices/rules/${rule.rule_id}`, { ...rule, at: clockIn(1) });
  await until(() => letters.letters.length > 0, "a letter was waited for");
  toldAt = Date.now();
  const absent = are("Absent");
  assert.equal(absent.length, 289);
  const [{ to, encrypted, login }] = letters.letters;
  assert.deepEqual([to, encrypted, login], [["head@school.example"], true, true]);
  const { subject, lines } = textOf(letters.letters[0]);
  assert.equal(subject, "Absent: 289");
  const told = lines.filter((line) => line.startsWith("- ")).sort();
  assert.deepEqual(told, absent.map(({ name, roll }) => `- ${name} (${roll}), ${TODAY}, ${PERIOD}`).sort());

  const came = are("Present", "Late");
  const state = await until(async () => {
    const { data } = await call("GET", "/notices/state");
    return data.waiting === 0 && data;
  }, "what waits was looked at");
  assert.deepEqual([state.sent, state.dead], [absent.length + came.length, 0]);
  const of = (status) => receiver.requests.filter((request) => request.status === status);
  assert.ok(receiver.requests.every(({ isSigned }) => isSigned), "each is signed");
  assert.equal(of(503).length, 3);
  assert.deepEqual(
    of(200).map(({ data }) => [data.roll_number, data.student_name, data.status, data.camera_location]).sort(),
    came.map(({ roll, name, status }) => [roll, name, status, "Main gate"]).sort(),
  );
  const ids = new Set(receiver.requests.map(({ id }) => id));
  assert.equal(ids.size, came.length, "one id for each mark in every try");
  assert.equal(new Set(of(200).map(({ id }) => id)).size, came.length);
});

morning("the month's register of a class is a page of paper, and its file says the same", async () => {
  const { data: { groups } } = await call("GET", "/groups");
  const { group_id: id } = groups.find(({ name }) => name === "5A");
  await go(admin, `month?group=${id}&month=${TODAY.slice(0, 7)}`);
  await admin.locator("table.month tbody tr").nth(29).waitFor();
  const shown = await admin.$$eval("table.month tbody tr", (rows) => rows.map((row) => [
    row.querySelector("th").textContent,
    ...[...row.querySelectorAll("td")].map((cell) => (cell.querySelector("[aria-hidden]") ?? cell).textContent),
  ]));
  const day = Number(TODAY.slice(8));
  const letter = { Present: "P", Late: "L", Excused: "X", Absent: "A" };
  assert.deepEqual(
    shown.map((cells) => [cells[0], cells[1], cells[day + 1]]).sort(),
    SCHOOL.filter(({ group }) => group === "5A").map(({ name, roll, status }) => [name, roll, letter[status]]).sort(),
  );
  const [file] = await Promise.all([admin.waitForEvent("download"), admin.click("#month-csv")]);
  const [, ...lines] = readFileSync(await file.path(), "utf8").trim().split("\n");
  const inFile = lines.map((line) => line.split(","));
  const days = shown[0].length - 8;
  // The page leaves zeros out, says rates as percentages, and has a dot where a day is still to come.
  const asShown = ([, name, roll, ...cells]) => [
    name, roll, ...cells.slice(0, days), ...cells.slice(days, -1).map((sum) => (sum === "0" ? "" : sum)),
    cells.at(-1) && `${Math.round(1000 * cells.at(-1)) / 10}%`,
  ];
  assert.deepEqual(inFile.map(asShown), shown.map((cells) => cells.map((cell) => (cell === "\u00b7" ? "" : cell))));
  assert.ok(inFile.every(([group]) => group === "5A"));

  mkdirSync(PICTURES, { recursive: true });
  const paper = await admin.pdf({ preferCSSPageSize: true, path: join(PICTURES, "morning-register.pdf") });
  assert.equal(paper.toString("latin1").match(/\/Type \/Page\b(?!s)/g).length, 1);
  await admin.setViewportSize({ width: 1123, height: 794 });
  await admin.emulateMedia({ media: "print" });
  await picture(admin, "morning-register");
  await admin.emulateMedia({ media: null });
  await admin.setViewportSize(DESKTOP);
});

morning("nobody is told again of what was told, and the board stays as it is", async () => {
  await boardIsRight();
  // The server looks every five seconds who is absent.
  await until(() => Date.now() - toldAt > 6000, "the clock was looked at");
  assert.equal((await call("GET", "/notices/state")).data.waiting, 0);
  assert.equal((await call("GET", "/notices?state=sent&limit=1")).total, are("Absent", "Present", "Late").length);
  assert.equal(letters.letters.length, 1, "one letter, however often it is looked");
  assert.deepEqual([admin.problems, office.problems, tablet.problems], [[], [], []]);
});

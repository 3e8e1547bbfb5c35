// Made by `npm run build` from types/header.d.ts and the addon's Rust code. Do not edit.

import type { EventEmitter } from 'node:events'

/**
 * A picture: pixels, or an encoded JPEG, PNG or WebP (up to 20 MiB and 50 million pixels, turned upright by its EXIF
 * orientation) as bytes, as base64, or as a `data:` URI. It is copied when the call's turn comes, so that waiting calls
 * cost no memory: leave it as it is until the promise settles.
 */
export type ImageInput = Frame | Uint8Array | string

/** Options of a call that can be cancelled. */
export interface Abortable {
  /**
   * When it is aborted, the promise rejects with its `reason` at once. A call that waits never begins. A call that has
   * begun runs to its end (an analysis takes tens of milliseconds), and its result is dropped. A download stops.
   */
  signal?: AbortSignal
}

/** What is thrown, and what promises reject with, unless a signal was aborted. */
export declare class FaceAttendError extends Error {
  constructor(code: FaceAttendErrorCode, message: string, options?: ErrorOptions)
  readonly name: 'FaceAttendError'
  /** A stable code to decide by; messages may change. */
  readonly code: FaceAttendErrorCode
}

/** Why a frame of a liveness session did not count, or a remark on its quality. */
export type LivenessReasonCode =
  | 'no_face'
  | 'several_faces'
  | 'face_unclear'
  | 'wrong_pose'
  | 'different_person'
  | 'frozen_picture'
  | 'no_parallax'
  | 'no_relief'
  | 'out_of_order'
  | 'wrong_turn'
  | 'wrong_nonce'
  | 'replayed_frame'
  | 'mirrored_frame'
  | 'bad_timestamp'
  | 'source_changed'
  | 'track_broken'
  | 'not_steady'
  | 'already_enrolled'
  | 'unlike_face'
  | 'spoof_suspected'
  | 'passive_check_missing'
  | 'duplicate_frame'
  | 'stale_frame'
  | 'model_changed'
  | 'too_many_attempts'
  | 'expired'
  | QualityReason

/** Why a face in view of a camera is not known to be a living person's. */
export type LifeReason = 'few_views' | 'little_movement' | 'passive_low' | 'frozen' | 'unanswered'

/**
 * One change of a roster. A student is named by the key or the roll number, a group by the key or the name. Days are
 * `YYYY-MM-DD`; where a first day may be left out, it is the day of the change.
 */
export type RosterChange =
  /** A student with this roll number is there and has this name. */
  | { change: 'student'; rollNumber: string; name: string }
  /** A group with this name is there and is not archived. The kind (`class`) is that of a group that has to be made. */
  | { change: 'group'; name: string; kind?: GroupKind }
  /** The student is a member from a day on, up to the day before `untilDay`. */
  | {
      change: 'join'
      student: number | string
      group: number | string
      fromDay?: string
      untilDay?: string | null
    }
  /** The student is no member from `untilDay` on. */
  | { change: 'leave'; student: number | string; group: number | string; untilDay?: string }
  /** A membership has these days. */
  | { change: 'redate'; membership: number; fromDay: string; untilDay?: string | null }
  /** The student has left: all memberships end, and nobody expects the student from that day on. */
  | { change: 'withdraw'; student: number | string; fromDay?: string }
  /** The student who was withdrawn is expected again from a day on. Memberships do not come back. */
  | { change: 'readmit'; student: number | string; fromDay?: string }
  /** The student is not expected before a day. */
  | { change: 'first_day'; student: number | string; day: string }

/** How much analysis work this thread has. */
export interface Load {
  /** Calls that run. */
  running: number
  /** Calls that wait for their turn. */
  waiting: number
  /** How many work at once at most: the processors, but one thread less than libuv has (`UV_THREADPOOL_SIZE`, 4). */
  limit: number
}

/**
 * Returns how much analysis work there is. The package refuses no call: a service checks this before it takes more, and
 * answers "busy" while `waiting` is more than it accepts.
 */
export declare function load(): Load

/** What a camera is read with. */
export interface CameraOptions extends CameraReadOptions, Abortable {
  /** Analyzes every frame. Without it, events carry pixels. */
  engine?: Engine
  /** Says whose faces they are; needs an engine. */
  gallery?: Gallery
  /** Marks whom the gallery knows; needs a gallery. */
  book?: AttendanceBook
}

/** The events of a camera, with what their listeners get. */
export interface CameraEvents {
  /** A frame, unless the program iterates. The next one is analyzed when the listeners have returned. */
  frame: [frame: CameraFrame]
  state: [state: CameraState]
  /**
   * Somebody was recognized and is not marked, because the views did not show in time that the person is alive; with a
   * book the sighting is on the second-look list of its store. When `stop` is called, those who were being watched come
   * before its promise resolves.
   */
  secondLook: [sighting: Sighting]
  /** A face shows a picture of a person. Each is told once. */
  suspected: [sighting: Sighting]
  /** A frame could not be analyzed; the camera continues. */
  problem: [error: FaceAttendError]
  /** The camera has failed for good. Not emitted when nobody listens. */
  error: [error: FaceAttendError]
  /** Nothing more will come. */
  end: []
}

/**
 * A camera or recording. Frames come by `for await` or by the event `frame`; a slow consumer misses frames and never
 * gets an old one. It runs, and keeps the process alive, until it is stopped or a recording ends.
 *
 * Folders of pictures and motion-JPEG AVI files need nothing else; USB cameras, streams and other videos need OpenCV,
 * which is loaded when the first one is opened.
 */
export declare class Camera extends EventEmitter<CameraEvents> implements AsyncIterable<CameraFrame> {
  private constructor()
  /**
   * Starts to read `source`: a camera's number (`'0'`), an address (`rtsp://user:password@host/path`), a video file or
   * a folder of pictures. When it cannot be opened, `state` says so and the iterator throws.
   */
  static open(source: string, options?: CameraOptions): Camera
  /** The source, without credentials. */
  get source(): string
  get health(): CameraHealth
  /** Stops it; resolves when its threads are at rest, within a second. */
  stop(): Promise<void>
  /** Leaving the loop stops the camera. */
  [Symbol.asyncIterator](): AsyncIterableIterator<CameraFrame>
}

export declare namespace models {
  export interface PullOptions extends FolderOptions {
    /** For packs whose licence has to be accepted: that the user has read and accepted it. Default false. */
    acceptLicense?: boolean
    /** Called as bytes arrive, and ten times a second while none do. */
    onProgress?: (progress: PullProgress) => void
  }
}

/**
 * Marks students present, once a day of the site. The database decides, so two cameras or processes cannot mark twice.
 * Make one for a whole process.
 */
export declare class AttendanceBook {
  /** Makes a book in `store` by the rules of the site. Throws `invalid_input` for a name that is no time zone. */
  constructor(store: Store, options?: AttendanceOptions | undefined | null)
  /**
   * Marks the student present, or resolves to the row of the same day that already does. `similarity`, in [0, 1], is
   * kept with the row. Rejects with `not_found` for an unknown student.
   */
  mark(studentId: number, similarity: number, options?: MarkOptions & Abortable): Promise<Marking>
  /** Resolves to the rows that pass the filter, in its order. */
  records(filter?: AttendanceFilter & Abortable): Promise<AttendanceList>
  /** Resolves to the row with this key. */
  record(id: number, options?: Abortable): Promise<AttendanceRecord | null>
  /** Deletes the row with this key. The student can be marked again at once. Rejects with `not_found`. */
  delete(id: number, options?: Abortable): Promise<void>
  /** Resolves to counts of the rows that pass the filter. Its order, `skip` and `limit` have no effect. */
  summary(filter?: AttendanceFilter & Abortable): Promise<AttendanceSummary>
  /** Returns the day of the site that a moment belongs to. Default: now. */
  day(at?: Date | undefined | null): SiteDay
  /**
   * Forgets what the database said within the last minute. Call it after rows or students were deleted behind this
   * object, and after `Rosters` changed groups, timetables or the calendar.
   */
  forget(): void
  /**
   * Puts a student who was seen and not believed to be alive on the second-look list, unless the student is marked
   * in that day or on the list with this verdict. `reasons` are codes of lowercase letters, digits and underscores,
   * such as `few_views`. `Store.decideSecondLook` decides; what the database answered is remembered for a minute.
   */
  secondLook(studentId: number, verdict: SecondLookVerdict, reasons: Array<string>, options?: SecondLookOptions & Abortable): Promise<SecondLooking>
}

/** Finds, measures and embeds faces. One engine serves a whole process: make it once and keep it. */
export declare class Engine {
  private constructor()
  /**
   * Loads every model once, so that what is wrong with one shows here. Rejects with code `runtime`, `model` or
   * `invalid_input`, each saying what to do.
   */
  static create(options?: EngineOptions & Abortable): Promise<Engine>
  /**
   * Resolves to the faces of `image`; a picture without faces is an empty list, not an error. All the work, decoding
   * too, is done off the main thread.
   */
  analyze(image: ImageInput, options?: AnalyzeOptions & Abortable): Promise<Analysis>
  /**
   * Resolves to where the faces of `image` are, largest first. It is faster than `analyze`: a JPEG is decoded
   * only as large as the detector needs it.
   */
  detect(image: ImageInput, options?: DetectCallOptions & Abortable): Promise<Array<Detection>>
  /** Resolves to the embedding of the largest face of `image`, or `null` when there is no face that can be aligned. */
  embed(image: ImageInput, options?: DetectCallOptions & Abortable): Promise<Embedding | null>
  /**
   * Resolves to the embedding of the only face of `image`, if it is clear enough to enrol somebody by it. A small
   * face in the background does no harm. Rejects with `invalid_input` when there is no face, when there are
   * several, or when the face is not clear; the message says what to do.
   */
  template(image: ImageInput, options?: DetectCallOptions & Abortable): Promise<Embedding>
  /**
   * Returns how similar two faces are, in [0, 1]. From 0.7 on they count as one person. (cosine + 1) / 2 for
   * ArcFace-class models, calibrated to the same false match rate for the others. Takes microseconds. Throws
   * `model_mismatch` for embeddings of another model.
   */
  similarity(a: Embedding, b: Embedding): number
  /**
   * Returns the raw cosine between two faces, in [-1, 1]. Its scale differs from model to model: compare
   * similarities.
   */
  cosine(a: Embedding, b: Embedding): number
  /** Returns the mean of several embeddings of one person, at unit length. Throws `invalid_input` for none. */
  mean(embeddings: Array<Embedding>): Embedding
  /** What it runs. */
  get description(): EngineDescription
}

/**
 * The people who are known, each by the mean of their templates, in memory. Searches never wait for writers. It holds
 * embeddings of one engine's model only.
 */
export declare class Gallery {
  /** Makes an empty gallery for the embeddings of `engine`. */
  constructor(engine: Engine)
  /**
   * Adds templates to those of a student, who is matched by the mean of all of them from then on. Throws
   * `model_mismatch`, and adds nothing, for an embedding of another model.
   */
  insert(studentId: number, templates: Array<Embedding>): void
  /** Replaces the templates of a student by these. No search sees the person missing in between. */
  replace(studentId: number, templates: Array<Embedding>): void
  /** Removes a student, and returns whether the person was there. */
  remove(studentId: number): boolean
  /** Returns whether a student has a template here. */
  contains(studentId: number): boolean
  /** The number of people. */
  get people(): number
  /** The number of templates. */
  get templates(): number
  /**
   * Resolves to the `k` people most similar to `probe`, most similar first. The search is exact, and runs off the
   * main thread, because a million people take tens of milliseconds.
   */
  search(probe: Embedding, k: number, options?: Abortable): Promise<Array<Match>>
  /** Resolves to whose face `probe` is. `threshold` is on the similarity scale, in [0, 1]; default 0.7. */
  identify(probe: Embedding, threshold?: number | null, options?: Abortable): Promise<Identification>
  /** Replaces what the gallery holds by all the store's templates. */
  load(store: Store, options?: GalleryLoadOptions & Abortable): Promise<GalleryLoad>
}

/**
 * A liveness session. Frames may come late, twice, in any order, and at the same time: each gets its answer. It lives
 * in this process until it is written down, with `toState` or `Store.saveSession`.
 */
export declare class LivenessSession {
  /** Begins a session. Throws `invalid_input` naming the option that is out of range. */
  constructor(options: LivenessOptions)
  /** Returns the session that `toState` wrote down, in this process or another. */
  static fromState(state: string): LivenessSession
  /**
   * Takes one frame in and resolves to what it was worth. `position` is what the person was asked for. It asks for
   * no nonce: for frames of the program's own camera.
   */
  observe(engine: Engine, image: ImageInput, position: Position, options?: ObserveOptions & Abortable): Promise<Outcome>
  /**
   * Takes in one frame of a client at a distance. With a random order, a frame that does not carry the `nonce` of
   * the present step is refused (`wrong_nonce`); `null` stands for a client that sent none. Other orders have no
   * nonce.
   */
  observeAnswer(nonce: string | null | undefined, engine: Engine, image: ImageInput, position: Position, options?: ObserveOptions & Abortable): Promise<Outcome>
  /**
   * Closes the session and returns the template when it is complete. Otherwise the session has failed, unless
   * frames on their way complete it after all.
   */
  verify(): Verification
  /**
   * Uses the session up and returns the templates to enrol, center first. Only the first call gets them; another
   * throws `conflict`, and one before the end `state`. `Store.registerStudent` does it by itself.
   */
  consume(): Array<Embedding>
  /** Returns the session as text. It holds embeddings, which are personal data. */
  toState(): string
  /** Its key, a random UUID. */
  get id(): string
  /** The student to enrol, when it was begun for one. */
  get studentId(): number | null
  /** The position to ask the person for; `null` when there is nothing more to ask. */
  get next(): Position | null
  /** The order in which it asks for the positions. */
  get order(): Order
  /**
   * The word that a client has to send with the frames for the present step; it changes with every step. `null`
   * unless the order is random and the session is not complete.
   */
  get nonce(): string | null
  /** How many steps have passed, and how many there are: three, or more with a random order. */
  get steps(): [passed: number, all: number]
  /**
   * The receipt for the enrolment of a student with this session, to be signed with a `ReceiptKey`. `null` until the
   * session is complete. `now`, by default the present, is when it is issued.
   */
  receipt(studentId: number, now?: Date | undefined | null): Receipt | null
  /** A number that grows with every change. */
  get revision(): number
  /** The positions verified by now. */
  get verified(): Array<Position>
  /** When it began. */
  get createdAt(): Date
  /** From when on no frame counts any more. */
  get expiresAt(): Date
  /** Where it stands now. */
  get status(): LivenessStatus
  /** Whether every position is verified. */
  get isCompleted(): boolean
  /** Whether it has enrolled somebody. */
  get isConsumed(): boolean
  /** How sure a completed session is, in [0, 1]. 0 before that. */
  get livenessScore(): number
}



/**
 * What a receipt says: who was enrolled, by which model, when, and on what decision. `LivenessSession.receipt` makes
 * one, `ReceiptKey.sign` signs it, and `Receipt.verify` reads it again with the public key alone.
 */
export declare class Receipt {
  private constructor()
  /**
   * Returns the receipt in a signed token. Throws `invalid_input` when the key is no Ed25519 public key, or when the
   * token is damaged or signed by another key. Whoever takes receipts also keeps the nonces taken, and takes each
   * once.
   */
  static verify(token: string, publicKeyPem: string): Receipt
  /** Who was enrolled. */
  get studentId(): number
  /** The model of the enrolled templates. */
  get model(): string
  /** When the receipt was issued, in whole seconds. */
  get issuedAt(): Date
  /** The liveness score of the session, in [0, 1]. */
  get livenessScore(): number
  /** The order in which the session asked. */
  get order(): Order
  /** What came of the passive check. */
  get passive(): PassiveVerdict
  /** 32 hexadecimal digits: the same for every receipt of one session, and for no other. */
  get nonce(): string
  /** Returns the contents as a plain object, for `JSON.stringify`. */
  toJSON(): ReceiptContents
}

/** The Ed25519 key that signs receipts. Keep it where only the program reads it, and hand out `publicKeyPem()`. */
export declare class ReceiptKey {
  private constructor()
  /** Returns a fresh key from the system's randomness. */
  static generate(): ReceiptKey
  /** Returns the key that `toText` wrote: 32 bytes in base64. Throws `invalid_input` for any other text. */
  static parse(text: string): ReceiptKey
  /** Returns the secret key as text. */
  toText(): string
  /** Returns the public key as PEM, for whoever checks receipts. */
  publicKeyPem(): string
  /** Returns the receipt as a signed JSON Web Token (EdDSA), which `jose` and other libraries read too. */
  sign(receipt: Receipt): string
}

/**
 * Who was expected on the days of a span, and how each attended. `Rosters.days` reads it; it does not change. It is in
 * memory, and its methods return at once. A long list of entries takes its time on the thread that asks, some
 * microseconds for each: ask for a day or a status, or `counts`.
 *
 * A student is expected where the timetable of a group of the student, else that of the site, has this day of the week
 * and the calendar has no holiday, unless the student is withdrawn, or was made on a later day and is in no group.
 * Where no timetable holds, days from Monday to Friday are marked once.
 */
export declare class RosterDays {
  private constructor()
  /** The first and the last day, both included. */
  get span(): [firstDay: string, lastDay: string]
  /** The students, ordered by name. */
  get students(): Array<RosterStudent>
  /** Every group, ordered by name. */
  get groups(): Array<Group>
  /** When the last mark, check-out or excuse came; `null` without one. */
  get changedAt(): Date | null
  /**
   * Returns how a student attended one period of a day, the first one without a name; `null` where the student was
   * not expected in it.
   */
  entry(studentId: number, day: string, period?: string | null): RosterEntry | null
  /** Returns how everybody attended who was expected: an entry for each student and period, by day. */
  entries(query?: EntryQuery | undefined | null): Array<RosterEntry>
  /** Returns how many of those who were expected came, and how. */
  counts(query?: CountQuery | undefined | null): StatusCounts
  /** Returns what a day is: for the site, a group or a student. */
  plan(day: string, options?: PlanOptions | undefined | null): DayPlan
  /** Returns the keys of the groups that a student is in on a day. */
  groupsOf(studentId: number, day: string): Array<number>
  /** Returns whether a student is there at all on a day: made by then or a member of a group, and not withdrawn. */
  isThere(studentId: number, day: string): boolean
  /** Returns when people came on a day, or on all days, by the site's clocks. The first period of a day is counted. */
  arrivals(day?: string | null, options?: ArrivalOptions): Arrivals
}

/**
 * Who belongs to which group when, when people are expected, and why somebody was absent. Absence is written nowhere:
 * `days` derives it. Days are the site's, as `YYYY-MM-DD`.
 */
export declare class Rosters {
  /**
   * Makes the changes in one transaction, all of them or none. A later one finds the student and the group that an
   * earlier one made.
   */
  changeRoster(changes: ReadonlyArray<RosterChange>, options?: RosterChangeOptions & Abortable): Promise<RosterOutcome>
  /**
   * Makes a student a member of a group, each named by its key, or by roll number and name. A membership that begins
   * later begins earlier then. Rejects with `not_found`, and with `state` for an archived group.
   */
  join(student: number | string, group: number | string, options?: SpanOptions & Abortable): Promise<RosterChanged>
  /** Ends a membership. One that would not have begun is deleted. */
  leave(student: number | string, group: number | string, options?: SpanOptions & Abortable): Promise<RosterChanged>
  /** Notes that a student has left: all memberships end, and nobody expects the student from `fromDay` on. */
  withdraw(student: number | string, options?: SpanOptions & Abortable): Promise<RosterChanged>
  /** Notes that a student who was withdrawn is expected again from `fromDay` on. Memberships do not come back. */
  readmit(student: number | string, options?: SpanOptions & Abortable): Promise<RosterChanged>
  /**
   * Resolves to who was expected from `firstDay` to `lastDay`, and how each attended, as the database is now.
   * Rejects with `not_found` for an unknown group or student.
   */
  days(firstDay: string, options?: RosterDaysOptions & Abortable): Promise<RosterDays>
  /** Resolves to the excuses that pass the query, ordered by day. Withdrawn ones are among them. */
  excuses(query?: ExcuseQuery & Abortable): Promise<Array<Excuse>>
  /** Resolves to the excuse with this key. */
  excuse(id: number, options?: Abortable): Promise<Excuse | null>
  /**
   * Notes an excuse. Rejects with `not_found` for an unknown student, and with `invalid_input` without a reason and
   * for a last day before the first.
   */
  addExcuse(excuse: NewExcuse, options?: Abortable): Promise<Excuse>
  /**
   * Withdraws an excuse: it stays, and excuses nothing any more. Rejects with `state` for one that was withdrawn
   * before.
   */
  withdrawExcuse(id: number, options?: ChangeOptions & Abortable): Promise<Excuse>
  /**
   * Resolves to every group, by name, with the number of its members on a day, which is today if left out. Archived
   * ones are among them.
   */
  groups(on?: string | null, options?: Abortable): Promise<Array<GroupSize>>
  /** Resolves to the group with this key. */
  group(id: number, options?: Abortable): Promise<Group | null>
  /** Makes a group. Rejects with `conflict` for a name that another group has, archived or not. */
  createGroup(name: string, options?: GroupOptions & Abortable): Promise<Group>
  /** Renames a group, or says what it is; resolves to the group as it is now. */
  changeGroup(id: number, change: GroupChange, options?: Abortable): Promise<Group>
  /**
   * Removes a group that never had a member, with its timetables. Another one is archived: its memberships end on
   * the day of `at`, and its history stays.
   */
  removeGroup(id: number, options?: ChangeOptions & Abortable): Promise<RemovedGroup>
  /** Takes a group out of the archive; resolves to it. Its members do not come back. */
  restoreGroup(id: number, options?: Abortable): Promise<Group>
  /** Resolves to the memberships that pass the query, ordered by student, first day and group. */
  memberships(query?: MembershipQuery & Abortable): Promise<Array<Membership>>
  /** Resolves to the times in which students are not expected, of one student or of all. */
  withdrawals(studentId?: number | null, options?: Abortable): Promise<Array<Withdrawal>>
  /**
   * Resolves to what the import of a list would change; nothing has changed. `file` is a CSV file or an Excel
   * workbook (.xlsx), told apart by its contents. Columns are found by their headings, as the book says.
   */
  planImport(file: Uint8Array, options?: RosterImportOptions & Abortable): Promise<RosterPlan>
  /**
   * Imports a list in one transaction: all of it, or nothing when anything is wrong. The roll number tells who is
   * who, so the same list again changes nothing.
   */
  importRoster(file: Uint8Array, options?: RosterImportOptions & Abortable): Promise<RosterImport>
  /**
   * Resolves to the list of everybody who is expected on a day or later, which is today if left out, as a file that
   * an import on that day takes back without a change.
   */
  export(day?: string | null, options?: ExportOptions & Abortable): Promise<Buffer>
  /** Resolves to every version of every timetable, the site's first, in the order in which they hold. */
  timetables(options?: Abortable): Promise<Array<TimetableVersion>>
  /**
   * Keeps a version of a timetable. One that begins on the same day is replaced. Past days keep the timetable that
   * they had: a version begins on the day of `at` or later, but for the first one of the site or the group. Rejects
   * with `state` for one that would change past days, and with `invalid_input` for periods that contradict each
   * other.
   */
  setTimetable(timetable: NewTimetable, options?: Abortable): Promise<TimetableVersion>
  /**
   * Removes a version that does not hold yet on the day of `at`; resolves to what it was. Rejects with `state` for
   * one that holds, or held before.
   */
  removeTimetable(id: number, options?: ChangeOptions & Abortable): Promise<TimetableVersion>
  /** Resolves to the entries of the calendar that touch these days, ordered by day. Without `lastDay`, one day. */
  calendar(firstDay: string, lastDay?: string | null, options?: Abortable): Promise<Array<CalendarEntry>>
  /** Keeps an entry of the calendar. Of two entries for one day that contradict each other, the later one holds. */
  addCalendarEntry(entry: NewCalendarEntry, options?: Abortable): Promise<CalendarEntry>
  /** Removes an entry of the calendar; resolves to what it was. */
  removeCalendarEntry(id: number, options?: Abortable): Promise<CalendarEntry>
  /** Keeps rosters in `store`. Throws `invalid_input` for a name that is no time zone. */
  constructor(store: Store, options?: RostersOptions | undefined | null)
}

/**
 * The database: SQLite in a file, or a PostgreSQL. Every method is one transaction: it happened as a whole and
 * survives the death of the process once its promise resolves, or it did not happen. A lookup that finds nothing is
 * `null`; a change to what is not there rejects with `not_found`, a database that fails with `store`.
 */
export declare class Store {
  private constructor()
  /** Resolves to the guardians of a student, in the order in which they were added. */
  guardians(studentId: number, options?: Abortable): Promise<Array<Guardian>>
  /**
   * Gives a student these guardians and no others. Who stays keeps what is to be sent. Rejects with `not_found` for
   * an unknown student, and with `invalid_input` for what is no address and for an address that is there twice.
   */
  setGuardians(studentId: number, guardians: Array<NewGuardian>, options?: Abortable): Promise<void>
  /** Resolves to the sightings that pass the query, newest first. `AttendanceBook.secondLook` puts them there. */
  secondLooks(query?: SecondLookQuery & Abortable): Promise<SecondLookList>
  /** Resolves to the sighting with this key. */
  secondLook(id: number, options?: Abortable): Promise<SecondLook | null>
  /** Resolves to how many sightings wait for a decision. */
  openSecondLooks(options?: Abortable): Promise<number>
  /**
   * Decides an open sighting, once; `by` is who decides. A confirmed one marks the student at the time of the
   * sighting, in the same transaction, and resolves to the mark; a refused one to `null`. Rejects with `state` when
   * it is decided already or the student was marked otherwise.
   */
  decideSecondLook(id: number, answer: SecondLookAnswer, by: string, options?: Abortable): Promise<Marking | null>
  /**
   * Opens a database and brings an older one up to date. `location` is the path of a SQLite file, which is created
   * when it is not there, or `postgres://USER:PASSWORD@HOST/NAME`. Rejects with `invalid_input` for the URL of
   * another kind of database.
   */
  static open(location: string, options?: Abortable): Promise<Store>
  /**
   * Resolves to the same database with a gallery. It loads the gallery, keeps it up to date with the enrolments and
   * erasures that are made through it, and compares the face of every enrolment with everybody who is enrolled,
   * inside the transaction that writes it. `duplicates` is `refuse` unless it is given.
   */
  withGallery(gallery: Gallery, duplicates?: DuplicatePolicy, options?: Abortable): Promise<Store>
  /** Resolves when the database answers. */
  check(options?: Abortable): Promise<void>
  /** Creates a student without a face. Rejects with `conflict` when the roll number is taken. */
  createStudent(name: string, rollNumber: string, options?: Abortable): Promise<Student>
  /** Resolves to the student with this key. */
  student(id: number, options?: Abortable): Promise<Student | null>
  /** Resolves to the students who pass the query, in its order. */
  students(query?: StudentQuery & Abortable): Promise<StudentList>
  /**
   * Changes what is given, and resolves to the student as it is now. Rejects with `conflict` when the roll number is
   * another student's.
   */
  updateStudent(id: number, change: StudentChange, options?: Abortable): Promise<Student>
  /**
   * Erases what identifies a student: the face, the templates, and the liveness sessions with the embeddings in
   * them. Take the student out of galleries too, other than that of `withGallery`.
   */
  eraseStudent(id: number, options?: EraseOptions & Abortable): Promise<Erasure>
  /**
   * Makes one student of two records of one person, and erases the other record. Attendance, corrections and second
   * looks become those of the student who stays: of two marks of one period of a day the earlier one. Rejects with
   * `conflict` when the store has a gallery and the faces are unlike.
   */
  mergeStudents(id: number, otherId: number, options?: MergeOptions & Abortable): Promise<Merged>
  /**
   * Erases a student with its attendance; resolves to what the student was.
   *
   * @deprecated Use `eraseStudent`.
   */
  deleteStudent(id: number, options?: Abortable): Promise<Student>
  /**
   * Creates a student with the face that a completed liveness session proved. It uses the session up in the same
   * transaction, so that of two calls that race one wins and the other rejects with `state`. A taken roll number
   * (`conflict`) does not cost the session.
   */
  registerStudent(session: LivenessSession, name: string, rollNumber: string, options?: RegisterOptions & Abortable): Promise<Student>
  /**
   * Gives an existing student the face that a completed liveness session proved, in place of the one it had, and
   * uses up the session in the same transaction. Rejects with `conflict` when it is unlike that one.
   */
  enrolStudent(session: LivenessSession, studentId: number, options?: EnrolOptions & Abortable): Promise<Student>
  /**
   * Replaces the templates of an existing student without a session: for an operator's own import. Liveness then
   * counts as not verified.
   */
  replaceTemplates(studentId: number, templates: Array<Embedding>, options?: Abortable): Promise<Student>
  /** Resolves to the templates of one student. It leaves out those of an older service, which name no model. */
  templatesOf(studentId: number, options?: Abortable): Promise<Array<Embedding>>
  /**
   * Writes the session into the database, or what has changed of it. Rejects with `state` when another process has
   * changed it meanwhile: read it with `session` and repeat the frame.
   */
  saveSession(session: LivenessSession, options?: Abortable): Promise<void>
  /** Resolves to the session with this key. */
  session(id: string, options?: Abortable): Promise<LivenessSession | null>
}

/** What an engine found in a frame. */
export interface Analysis {
  /** The faces: those taken furthest first, then by size, largest first. Empty when there is none. */
  faces: Array<Face>
  /** The frame's width, after an encoded picture was turned upright. */
  width: number
  /** The frame's height. */
  height: number
  /** The longer side of the detector's input that found the faces, in pixels. */
  inputSize: number
}

/** What to do with a frame. */
export interface AnalyzeOptions {
  /** How far to take each selected face. Default `antispoof`: everything. */
  depth?: Depth
  /** Which faces to take there. Default `all`. The others are still listed, after them, with their detection only. */
  selection?: Selection
  /** Where to look, in frame pixels. Default: everywhere. */
  region?: Rect
}

/** Whether the passive antispoof models are used: `auto` when they are installed. */
export type AntispoofMode = 'auto' | 'off'

/** Arrivals in some minutes. */
export interface ArrivalBin {
  /** The first minute by the site's clocks, as `HH:MM`. */
  begins: string
  /** Arrivals in time. */
  inTime: number
  /** Late ones. */
  late: number
}

/** Whose arrivals are counted. */
export interface ArrivalOptions {
  /** The members of this group alone. */
  group?: number | null
}

/** When people came, from the first arrival to the last one without gaps. */
export interface Arrivals {
  /** The width of a bin. */
  minutes: number
  bins: Array<ArrivalBin>
}

/**
 * What rows are ordered by: when the student was seen, the name, the roll number (9 before 10), the status, the
 * similarity, or the camera's place. Rows that are equal in it come newest first.
 */
export type AttendanceBy = 'time' | 'name' | 'roll_number' | 'status' | 'similarity' | 'place'

/** Which rows to read. What is left out does not narrow the selection. */
export interface AttendanceFilter {
  /** The first of the site's days, as `YYYY-MM-DD`. */
  fromDay?: string
  /** The last of the site's days, itself included, as `YYYY-MM-DD`. */
  toDay?: string
  /** Rows of this student. */
  studentId?: number
  /** Rows with exactly this status. */
  status?: string
  /** Default: newest first. */
  sort?: AttendanceBy
  /** Whether the largest comes first. Default: false with `sort`, and true without it. */
  descending?: boolean
  /** How many rows to skip. Default 0. */
  skip?: number
  /** How many rows to return at most. Default 100. */
  limit?: number
}

/** A slice of the rows. */
export interface AttendanceList {
  items: Array<AttendanceRecord>
  /** How many there are without the slicing. */
  total: number
}

/** The rules of the site. */
export interface AttendanceOptions {
  /** The site's time zone, an IANA name such as `Europe/Berlin`. Default: the one this machine is set to. */
  timeZone?: string
  /** When the site's day begins, as `HH:MM`. Default midnight. */
  dayBoundary?: string
}

/** An attendance row with its student's name. */
export interface AttendanceRecord {
  id: number
  studentId: number
  studentName: string
  studentRollNumber: string
  /** When the student was seen. */
  timestamp: Date
  /** `Present`, `Late`, or what else an older service wrote. */
  status: string
  /** The similarity of the match, in [0, 1]. */
  confidenceScore: number | null
  /** The camera's place. */
  cameraLocation: string | null
  /** The site's day as `YYYY-MM-DD`, if the row has one. */
  localDay: string | null
  /** When the row was made, in whole seconds. */
  createdAt: Date
}

/** Counts of rows. */
export interface AttendanceSummary {
  total: number
  present: number
  absent: number
  late: number
  /** How many students the rows belong to. */
  uniqueStudents: number
}

/** An entry of the calendar. */
export interface CalendarEntry {
  /** The key. */
  id: number
  /** The key of the group that it is for; `null` for the site. */
  group: number | null
  kind: CalendarKind
  /** The first day, as `YYYY-MM-DD`. */
  firstDay: string
  /** The last day, itself included. */
  lastDay: string
  /** The name, such as that of the holiday. */
  name: string
  createdAt: Date
  /** Who made it. */
  createdBy: string
}

/** What an entry of the calendar says of its days: nobody is expected, or people are, whatever day of the week it is. */
export type CalendarKind = 'holiday' | 'extra_day'

/** What one frame of a camera showed. */
export interface CameraFrame {
  capturedAt: Date
  width: number
  height: number
  /** The faces and whose faces they are, when the camera has an engine and a gallery. */
  faces: Array<SeenFace> | null
  /**
   * The marks of the students that are known, when the camera has a book too. `newlyMarked` tells who just
   * came.
   */
  marks: Array<Marking>
  /**
   * The people who may be marked, by what the camera's gate asks of a face: those to mark in an attendance table of
   * your own. Without those whom the book knows to be marked already.
   */
  admitted: Array<Sighting>
  /**
   * The people who were recognized and are not marked, because their views did not show in time that they are alive.
   * Each is told once, and goes on the second-look list of the book's store.
   */
  secondLooks: Array<Sighting>
  /** The faces that show a picture of a person, each told once. */
  suspected: Array<Sighting>
  /** What keeps the camera from naming people, as far as its frames tell, for as long as it lasts. */
  problems: Array<CameraProblem>
  /** The analysis, when the camera has an engine and no gallery. */
  analysis: Analysis | null
  /** The frame itself, when it was asked for or there is no engine. */
  pixels: Frame | null
}

/** The state of a camera, and counts. */
export interface CameraHealth {
  state: CameraState
  /** Frames that the source gave. */
  captured: number
  /** Frames that have been analyzed. */
  analyzed: number
  /** @deprecated Use `analyzed`. */
  analysed: number
  /** Frames that a newer one replaced, and frames that could not be decoded. */
  dropped: number
  /** The last thing that went wrong, without credentials; it stays after a recovery. */
  lastError: string | null
  /** How long ago the source gave its last frame, in milliseconds. */
  lastFrameAgeMs: number | null
}

/** What keeps a camera from naming people. */
export interface CameraProblem {
  /** A stable code: `too_slow` or `turned`. */
  code: string
  /** What is wrong and what to do about it. */
  message: string
}

/** How a camera is read and its faces are followed. */
export interface CameraReadOptions {
  /** Default `recorded`. */
  pace?: Pace
  /** Whether events carry the frame's pixels. Default: only when there is no engine. */
  pixels?: boolean
  /** The camera's place, for marks. */
  location?: string
  /** Below this similarity nobody is named, in [0, 1]. Default 0.7. */
  threshold?: number
  /** How many good views have to show the same person before the face is known. Default 2. */
  agreeing?: number
  /** The share of strangers that may be named, however long they stay. Default 0.001. */
  falseNames?: number
  /** What is asked of a face before its person is marked. Default: `require` of cameras, `observe` of recordings. */
  gate?: Gate
  /**
   * How long a person is watched for signs of life before the sighting goes on the second-look list, in
   * milliseconds. Default 4000.
   */
  gateWaitMs?: number
  /** Without effect: all views of a face decide together. Kept for callers of earlier versions. */
  window?: number
  /** How a frame is analyzed when there is an engine and no gallery. */
  analyze?: AnalyzeOptions
  /** How long connecting to a stream may take, in milliseconds. Default 5000. */
  openTimeoutMs?: number
  /** How long a stream may give no frame, in milliseconds. Default 5000. */
  readTimeoutMs?: number
  /** By how many degrees clockwise the pictures have to be turned to be upright: 0, 90, 180 or 270. Default 0. */
  orientation?: number
  /** Whether they are mirrored left to right then. Default false. */
  mirror?: boolean
  /** The capture time of a recording's first frame. Default: now. */
  recordingStartsAt?: Date
}

/** What a camera is doing. */
export type CameraState = 'connecting' | 'running' | 'reconnecting' | 'stopped' | 'failed'

/** Who made a change, and when. */
export interface ChangeOptions {
  /** Who makes the change. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** Which entries to count. What is left out does not narrow the selection. */
export interface CountQuery {
  /** Those of this day, as `YYYY-MM-DD`. */
  day?: string
  /** Those of the members that this group has on the day. */
  group?: number | null
  /** Those of this period. */
  period?: string
}

/** What a day is: people are expected, the calendar has a holiday, or nobody is expected on this day of the week. */
export type DayKind = 'school' | 'holiday' | 'free'

/** A day as its timetable and its calendar have it. */
export interface DayPlan {
  kind: DayKind
  /** The name of its entry in the calendar; `null` without one. */
  name: string | null
  /** The periods in order, also of a day without school: one named `day` where the day is marked once. */
  periods: Array<Period>
}

/**
 * How a student attended a period in which the student was expected: in time, late, there and gone before the end, not
 * there with an excuse, not there, or not there yet and not late yet.
 */
export type DayStatus = 'Present' | 'Late' | 'LeftEarly' | 'Excused' | 'Absent' | 'Pending'

/** Whose face it is, by its views so far. */
export type Decision = 'waiting' | 'unknown' | 'known'

/** How far to take a face. Each level includes the ones before it. */
export type Depth = 'detection' | 'pose' | 'embedding' | 'antispoof'

/** Where to look for faces. */
export interface DetectCallOptions {
  /** In frame pixels. Default: everywhere. */
  region?: Rect
}

/** A face that has been found and taken no further. */
export interface Detection {
  /** Where it is. */
  bbox: Rect
  /** The detector's score, in [0, 1]. */
  score: number
  /**
   * The eye on the image's left, the eye on its right, the nose, the mouth corner on the left, the one on the right;
   * `null` when the detector gives none.
   */
  landmarks: Array<Point> | null
}

/** What counts as a face, and how closely to look. */
export interface DetectOptions {
  /** The lowest score, in [0, 1]. Default: the usual one of the detector's family. */
  minScore?: number
  /** The highest overlap (intersection over union) of two faces, in [0, 1]. Default: the family's. */
  maxIou?: number
  /**
   * The longer side of the detector's input, from 32 to 4096 pixels; `auto` looks closer where it finds only little.
   * Default `auto`.
   */
  inputSize?: 'auto' | number
}

/** A detection model of your own. */
export interface DetectorFile {
  /** The ONNX file. */
  file: string
  /** Its family. Default: told by its outputs. */
  kind?: DetectorKind
}

/** A family of detection models. */
export type DetectorKind = 'blazeface' | 'scrfd' | 'yunet' | 'yolov5-face' | 'yolov8-face' | 'yolov10-face'

/**
 * What to do with a face that is enrolled as another student already: `refuse` the enrolment (`conflict`), or `allow`
 * it and compare with nobody.
 */
export type DuplicatePolicy = 'refuse' | 'allow'

/** A face as a vector. Keep it as the personal datum that it is: no logs, no caches. */
export interface Embedding {
  /** The model that made it. Embeddings of different models cannot be compared. */
  model: string
  /** A unit vector: 128 values with the default models, 512 with ArcFace-class ones. */
  values: Float32Array
}

/** What an engine runs, for logs and health checks. */
export interface EngineDescription {
  /** The detector's family and file. */
  detector: string
  /** The embedder's model id, as on every embedding. */
  embedder: string
  /** The number of values of an embedding. */
  dimension: number
  /** The antispoof networks, or why there are none. */
  antispoof: string
  /** How many frames are analyzed at once. */
  threads: number
}

/** The choices behind an engine. All of them have defaults: the models of the package, on the CPU. */
export interface EngineOptions {
  /** Use the detector and the embedder of this pack; it must be installed (see `models.pull`). */
  pack?: string
  /** Look for installed packs in this folder instead of the usual ones. */
  modelsFolder?: string
  /**
   * Use this detection model of your own: an ONNX file, whose family is told by its outputs, or the file with its
   * family.
   */
  detector?: string | DetectorFile
  /**
   * The longer side of the detector's input, from 32 to 4096 pixels; `auto` looks closer where it finds only little.
   * Default `auto`. `detect.inputSize` is its older name.
   */
  detectorSize?: 'auto' | number
  /** Use this embedding model of your own, an ONNX file. One that no pack knows is taken as ArcFace-class. */
  embedder?: string
  /** The order of the channels that `embedder` wants, where no pack knows it. Default `rgb`. */
  embedderChannels?: 'rgb' | 'bgr'
  /** Embed the mirrored face too and average both: twice the cost for fewer errors. Default false. */
  flip?: boolean
  /** Default `auto`. */
  antispoof?: AntispoofMode
  /**
   * How many frames are analyzed at once. Default: the processors this process may use. libuv has four threads
   * unless `UV_THREADPOOL_SIZE` says otherwise, and one of them is kept free for Node.
   */
  threads?: number
  /** Threads inside one run of one model. Default 1. */
  threadsPerRun?: number
  /** Default `cpu`. */
  provider?: Provider
  /**
   * The ONNX Runtime library to load. Default: `ORT_DYLIB_PATH`, else the one beside the addon, else that of the
   * package `onnxruntime-node`, else those of the user's cache and of the system. A process loads one, once.
   */
  onnxruntime?: string
  /** What counts as a face. */
  detect?: DetectOptions
  /** What counts as a good view. */
  quality?: QualityOptions
}

/** Who gives a student another face. */
export interface EnrolOptions {
  /** The name in the audit log. Default `node`. */
  actor?: string
  /**
   * Whether the face may take the place of one that it is unlike. Only a store with a gallery compares them. Default
   * false.
   */
  replaceUnlike?: boolean
}

/** Which entries to list. What is left out does not narrow the selection. */
export interface EntryQuery {
  /** Those of this day, as `YYYY-MM-DD`. */
  day?: string
  /** Those with this status. */
  status?: DayStatus
  /** Those of the members that this group has on the day. */
  group?: number | null
  /** Those of this period. */
  period?: string
}

/** How a student is erased. */
export interface EraseOptions {
  /** Default `delete`. */
  marks?: MarksOfErased
}

/** What an erasure erased. */
export interface Erasure {
  /** The student as it was. */
  student: Student
  /** How many templates are gone. */
  templates: number
  /** How many liveness sessions are gone. */
  sessions: number
  /** How many attendance rows are gone. */
  marksDeleted: number
  /** How many attendance rows stayed, without a name. */
  marksAnonymized: number
  /** How many entries of the second-look list are gone. */
  secondLooks: number
}

/** That an absence of a student is excused. */
export interface Excuse {
  /** The key. */
  id: number
  studentId: number
  /** The first day, as `YYYY-MM-DD`. */
  firstDay: string
  /** The last day, itself included. */
  lastDay: string
  /** The period that it is for; `null` for the whole of each day. */
  period: string | null
  reason: string
  createdAt: Date
  /** Who noted it. */
  createdBy: string
  /** When it was withdrawn: it excuses nothing any more. */
  withdrawnAt: Date | null
  /** Who withdrew it. */
  withdrawnBy: string | null
}

/** Which excuses to read. What is left out does not narrow the selection. */
export interface ExcuseQuery {
  /** Those of this student. */
  studentId?: number
  /** Those that end on this day or later, as `YYYY-MM-DD`. */
  fromDay?: string
  /** Those that begin on this day or earlier, as `YYYY-MM-DD`. */
  toDay?: string
}

/** How a list of students is written. */
export interface ExportOptions {
  /** Default `csv`. */
  format?: ListFormat
  /** Whether CSV begins with a byte-order mark, by which Excel knows that the text is UTF-8. Default false. */
  byteOrderMark?: boolean
  /** Whether the addresses of guardians, which are personal data, are in it. Default false. */
  guardians?: boolean
}

/** One face of a frame. What the depth that was asked for does not reach is `null`. */
export interface Face {
  /** Where it is. */
  bbox: Rect
  /** The detector's score, in [0, 1]. */
  score: number
  /**
   * Five points: the eye on the image's left, the eye on its right, the nose, the mouth corner on the left, the one
   * on the right.
   */
  landmarks: Array<Point> | null
  /**
   * The face mesh, where the engine has its model: 468 points as x, y, z one after the other, 1404 values, z away
   * from the camera in pixels.
   */
  mesh: Float32Array | null
  /** The head pose. */
  pose: Pose | null
  /** Size, sharpness, light. */
  quality: Quality | null
  /** What recognition compares. */
  embedding: Embedding | null
  /** The probability of a living face by the passive check, in [0, 1]; `null` when it did not run. */
  real: number | null
  /** Why the passive check did not run; `null` when it did. */
  antispoofUnavailable: string | null
}

/** Every code there is. Its names become the type `FaceAttendErrorCode`. */
export type FaceAttendErrorCode = 'invalid_image' | 'invalid_input' | 'model' | 'runtime' | 'model_mismatch' | 'not_found' | 'conflict' | 'state' | 'camera' | 'store' | 'io' | 'download' | 'internal'

/** A picture as pixels: `height` rows of `width` pixels without gaps, three bytes a pixel (four for `rgba`). */
export interface Frame {
  /** `width * height * 3` bytes (`* 4` for `rgba`), copied before the call returns. */
  data: Uint8Array | Uint8ClampedArray
  /** In pixels, at least 1. */
  width: number
  /** In pixels, at least 1. */
  height: number
  /** Default `rgb`. */
  format?: PixelFormat
  /** When it was captured. Liveness sessions refuse frames from before their beginning. */
  capturedAt?: Date
}

/** Which templates of a store a gallery has taken. */
export interface GalleryLoad {
  /** Students that can be recognized. */
  people: number
  /** Templates left out because another model made them: those students have to enrol again. */
  ofOtherModels: number
  /** Templates left out because nobody has said which model made them. */
  legacy: number
}

/** How a gallery is filled from a store. */
export interface GalleryLoadOptions {
  /** The model that made the templates of an older service that do not say so. Default: they are left out. */
  legacyModel?: string
}

/**
 * What is asked of a face before its person is marked. `require`: that its views show a living person; whoever is
 * recognized and does not show it goes on the second-look list. `ask`: the same, and whose views do not say is asked
 * for a short movement, which `SeenFace.asked` names. `observe`: nothing, but every face says what its views tell of
 * life. `off`: nothing, and nobody looks.
 */
export type Gate = 'off' | 'observe' | 'require' | 'ask'

/** A group of students. */
export interface Group {
  /** The key. */
  id: number
  /** Unique without letter case. */
  name: string
  kind: GroupKind
  /** When the group was archived: it takes no members any more, and its history stays. */
  archivedAt: Date | null
  createdAt: Date
  /** Who made it. */
  createdBy: string
}

/** What to change of a group; what is left out stays. */
export interface GroupChange {
  name?: string
  kind?: GroupKind
}

/**
 * What a group is: a class of a school, a section of a class, a department of a company, people who work at the same
 * hours, or another group, such as a choir.
 */
export type GroupKind = 'class' | 'section' | 'department' | 'shift' | 'other'

/** How a group is made. */
export interface GroupOptions {
  /** Default `class`. */
  kind?: GroupKind
  /** Who makes it. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** A group with the number of its members on a day. */
export interface GroupSize {
  group: Group
  /** How many students are members on that day, without those who are withdrawn. */
  members: number
}

/** A guardian of a student: personal data, erased with the student. */
export interface Guardian {
  /** The e-mail address. */
  email: string
  /** The language of letters, such as `de`. */
  language: string
}

/** Whose face one view shows. */
export interface Identification {
  /** Whether the most similar person reaches the threshold. */
  known: boolean
  /** The most similar person, known or not; `null` when the gallery is empty. */
  best: Match | null
  /** How much more similar a known person is than the next one, on the similarity scale; `null` when unknown. */
  margin: number | null
}

/** What a list of students is written as. */
export type ListFormat = 'csv' | 'xlsx'

/** Whether the views of a face show a living person. */
export type Liveness = 'live' | 'undecided' | 'spoof'

/** What a liveness session demands. */
export interface LivenessOptions {
  /**
   * Whether the frames arrive flipped, as a mirror shows them: it decides which side is the person's own left. No
   * default, because a wrong guess swaps left and right. Cameras and recordings are `false`.
   */
  mirrored: boolean
  /**
   * For clients that stream and follow `next`: a random order, positions confirmed over three frames of one unbroken
   * track, and a camera that counts as frozen after five equal frames. What is given beside it goes first. Default
   * false.
   */
  guarded?: boolean
  /** The student to enrol, when there is one already. */
  studentId?: number
  /**
   * Default `fixed`. Ask for `Outcome.next` each time. A client at a distance has to answer each step of a random
   * order with its `nonce`: see `observeAnswer`.
   */
  order?: Order
  /**
   * Whether a random order also asks for looking `up` and `down`: for clients that can guide the person there.
   * Default false.
   */
  nods?: boolean
  /** How many more steps than three a random order has, up to 5. Default 3. */
  extraSteps?: number
  /** How many turns to the wrong side a random order forgives. Default 1. */
  wrongTurns?: number
  /** After how many frames the session fails. Default 3000. */
  attemptLimit?: number
  /** Over how many frames of one track the yaw is smoothed: 1, 3, 5 or 7. Default 1. */
  steadyFrames?: number
  /** After how many frames with the same picture the camera counts as frozen. Default 10. */
  frozenFrames?: number
  /** The least depth that the face has to show between the views, in [0, 1]. Default 0.06. */
  minRelief?: number
  /** What becomes of a poor center view. Default `refuse`. */
  quality?: QualityGate
  /** The largest yaw for center, in degrees. Default 5. */
  centerGate?: number
  /** The yaw beyond which the head counts as turned left, in degrees. Default 15. */
  leftGate?: number
  /** The yaw beyond which the head counts as turned right, in degrees. Default 15. */
  rightGate?: number
  /** How long the session lasts, in seconds, up to a day. Default 600. */
  ttlSeconds?: number
  /** After how many suspicious frames the session fails for good. Default 60. */
  suspiciousLimit?: number
  /** From which similarity a side view shows the person of the center view, in [0, 1]. Default 0.65. */
  samePerson?: number
  /** From which raw cosine two positions show one and the same picture. Default 0.999. */
  frozen?: number
  /** By how much the nose offset must change between center and each side. Default 0.203. */
  minNoseShift?: number
  /** Default `prefer`. */
  pad?: PadPolicy
  /** From which mean probability of a living face the passive check is content, in [0, 1]. Default 0.5. */
  minPadMean?: number
  /** How many times larger than any other the face of the person must be. Default 2. */
  dominance?: number
}

/** Why a frame did not count, or what would make the next one better. */
export interface LivenessReason {
  /** The stable code. */
  code: LivenessReasonCode
  /** One sentence that the person in front of the camera can act on. */
  advice: string
  /**
   * The measured figure where there is one: the number of faces, the similarity, the nose shift, the relief, or the
   * mean probability of a living face.
   */
  figure: number | null
  /** For `wrong_pose`: which way to turn. */
  turn: TurnAdvice | null
}

/** Where a session stands. */
export type LivenessStatus = 'PENDING' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'EXPIRED'

/** The result of a mark. */
export interface Marking {
  /** Whether this call made the row; false when the day was already marked. */
  newlyMarked: boolean
  /** The row that stands for this day and period. */
  record: AttendanceRecord
}

/** When and where somebody was seen. */
export interface MarkOptions {
  /** When. Default: now. */
  at?: Date
  /** The camera's place. */
  cameraLocation?: string
}

/**
 * What becomes of the attendance of a student who is erased: `delete` it, or keep it for the statistics under a
 * student without a name.
 */
export type MarksOfErased = 'delete' | 'anonymize'

/** A person that a face resembles. */
export interface Match {
  /** The key of the person. */
  studentId: number
  /** How similar the face and the mean of the person's templates are, in [0, 1]. */
  similarity: number
  /** The raw cosine behind it, in [-1, 1]. */
  cosine: number
}

/** That a student is a member of a group. */
export interface Membership {
  /** The key. */
  id: number
  /** The key of the group. */
  group: number
  studentId: number
  /** The first day, as `YYYY-MM-DD`. */
  fromDay: string
  /** The first day on which it is over; `null` for no end. */
  untilDay: string | null
}

/** Which memberships to read. What is left out does not narrow the selection. */
export interface MembershipQuery {
  /** Those of the group with this key. */
  group?: number
  /** Those of this student. */
  studentId?: number
  /** Those that hold on this day, as `YYYY-MM-DD`. */
  on?: string
}

/** What a merge of two records moved and erased. */
export interface Merged {
  /** The student who stayed, as it is now. */
  student: Student
  /** What was erased with the other record. `marksDeleted` counts the later one of two marks of one period. */
  erasure: Erasure
  /** How many attendance rows are the student's now. */
  marksMoved: number
  /** How many corrections were moved from a row that is gone to the one that stayed. */
  correctionsMoved: number
  /** How many entries of the second-look list are the student's now. */
  secondLooksMoved: number
  /** Whether the face is that of the record that was erased. */
  tookFace: boolean
  /** Whether the consent is. */
  tookConsent: boolean
}

/**
 * Whose face a student has after a merge: that of the record that stays, or of the one that goes. A record without a
 * face takes the other's.
 */
export type MergedFace = 'kept' | 'other'

/** How two records of one person become one. */
export interface MergeOptions {
  /** Default `kept`. */
  face?: MergedFace
  /** The name in the audit log. Default `node`. */
  actor?: string
  /**
   * Whether records may be merged whose faces are unlike or cannot be compared. Only a store with a gallery compares
   * them. Default false.
   */
  mergeUnlike?: boolean
}



/** An entry of the calendar that is to be kept. */
export interface NewCalendarEntry {
  /** Default `holiday`. */
  kind?: CalendarKind
  /** The name, such as that of the holiday. */
  name: string
  /** The first day, as `YYYY-MM-DD`. */
  firstDay: string
  /** The last day, itself included. Default: the first day. */
  lastDay?: string
  /** The key of the group that it is for. Default: the site. */
  group?: number | null
  /** Who makes it. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** An excuse that is to be noted. */
export interface NewExcuse {
  studentId: number
  /** The first day, as `YYYY-MM-DD`. */
  firstDay: string
  /** The last day, itself included. Default: the first day. */
  lastDay?: string
  /** The period that it is for. Default: the whole of each day. */
  period?: string | null
  reason: string
  /** Who notes it. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** A guardian who is to be kept. */
export interface NewGuardian {
  /** The e-mail address. */
  email: string
  /** The language of letters, such as `de`. Default `en`. */
  language?: string
}

/** A period that is to be kept. */
export interface NewPeriod {
  name: string
  /** From then on an arrival is one for it, as `HH:MM`: when the doors open, rather than the bell. */
  begins: string
  /** Arrivals from then on are late. Without it nobody is. */
  lateAfter?: string | null
  /** A marked person who is seen from then on is leaving. Without it nobody is checked out. */
  checkOutFrom?: string | null
}

/** A version of a timetable that is to be kept. */
export interface NewTimetable {
  /** The key of the group that it is for. Default: the site. */
  group?: number | null
  /** The first day on which it holds, as `YYYY-MM-DD`. Default: the day of `at`. */
  validFrom?: string
  /** The days on which people are expected. Default: Monday to Friday. */
  weekdays?: Array<Weekday>
  /** The periods of each of these days. Default: none, for a day that is marked once. */
  periods?: Array<NewPeriod>
  /** Who makes it. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** How a frame is taken into a session. */
export interface ObserveOptions {
  /**
   * When the frame was captured, if it does not say so itself. Frames from before the session's beginning are
   * refused.
   */
  capturedAt?: Date
  /** The time to judge by. Default: now. */
  now?: Date
}

/**
 * In which order a session asks for the positions: `fixed` is center, left, right; `random` is drawn for each session,
 * so that a prepared video does not fit; with `any` a frame counts for whichever position it is sent for.
 */
export type Order = 'any' | 'fixed' | 'random'

/** What a session says about one frame. Nothing in it identifies a person. */
export interface Outcome {
  /** The position that was asked for. */
  requested: Position
  /** The position that the head shows; `null` when there is no single face with a pose. */
  detectedPose: Position | null
  /** The measured yaw in degrees, in the frame as received. */
  yaw: number | null
  /**
   * The yaw in degrees that was compared with `gate`: the median over the last frames of the track, where the
   * session asks for steady frames.
   */
  smoothedYaw: number | null
  /** The yaws in degrees, lowest and highest, between which the head shows the position that was asked for. */
  gate: [from: number, to: number]
  /**
   * How far the face looks up (positive) or down against the verified center, in degrees; `null` before there is
   * one.
   */
  rise: number | null
  /**
   * The rises in degrees, lowest and highest, between which the head shows the position that was asked for; `null`
   * for the sides, and in a session without `nods`.
   */
  riseGate: [from: number, to: number] | null | null
  /** Whether the frame passed every check for the position that was asked for. */
  isLive: boolean
  /** How well the frame shows the position asked for, in [0, 1]: 0 when it was refused, else from 0.75 on. */
  confidence: number
  /** The positions verified by now. */
  verified: Array<Position>
  /** The position to ask for next; `null` when all are verified. */
  next: Position | null
  /** How many steps have passed. */
  stepsDone: number
  /** How many steps there are: three, or more with a random order. */
  steps: number
  /** What came of the passive check so far. */
  passive: PassiveVerdict
  /**
   * The mean probability of a living face over the frames that the passive check scored lately, in [0, 1]; `null`
   * when it has scored none.
   */
  passiveMean: number | null
  /** The session's status after the frame. */
  status: LivenessStatus
  /** Whether the session is complete. */
  sessionCompleted: boolean
  /** How sure a completed session is, in [0, 1]: the weakest of its proofs. 0 before that. */
  livenessScore: number
  /** Whether the head has been seen to turn to both sides. */
  movementVerified: boolean
  /** Why the frame was refused, first, then remarks; empty when all is well. */
  reasons: Array<LivenessReason>
}

/**
 * How fast a recording is played: as it was `recorded`, where a slow consumer misses frames as it would with a
 * camera, or `as_analyzed`, where it gets every frame. `as_analysed` is the deprecated spelling of earlier versions.
 */
export type Pace = 'recorded' | 'as_analyzed' | 'as_analysed'

/**
 * How scores of the passive check count: `require` a score of every frame that counts, `prefer` scores where there are
 * any, or leave the check `off`.
 */
export type PadPolicy = 'require' | 'prefer' | 'off'

/**
 * What came of the passive check of a session: the policy leaves it `off`, it has `not_run`, or its mean is that of a
 * `live` face or of a `spoof`.
 */
export type PassiveVerdict = 'off' | 'not_run' | 'live' | 'spoof'

/**
 * A part of the day that is marked once, such as a lesson. It lasts until the next one begins. Times are those of the
 * site's clocks, as `HH:MM`.
 */
export interface Period {
  name: string
  /** From then on an arrival is one for it. */
  begins: string
  /** Arrivals from then on are late; `null` where nobody is. */
  lateAfter: string | null
  /** A marked person who is seen from then on is leaving; `null` where nobody is checked out. */
  checkOutFrom: string | null
}

/** The order of the bytes of a pixel. `rgba` is what a canvas gives; its fourth byte is ignored. */
export type PixelFormat = 'rgb' | 'bgr' | 'rgba'

/** A student whom a list changes. */
export interface PlannedChange {
  /** The line of the list. */
  line: number
  studentId: number
  rollNumber: string
  /** The name as it is. */
  name: string
  /** The name that takes its place; `null` where it stays. */
  newName: string | null
  /** The groups that the student joins. */
  joins: Array<PlannedMembership>
  /** The groups that the student is in, from another day or until another day than before. */
  redated: Array<PlannedMembership>
  /** The names of the groups that the student leaves. */
  leaves: Array<string>
  /** The addresses that are added. */
  guardianEmails: Array<string>
  /** Whether the student had been withdrawn and comes back. */
  returns: boolean
  /** The first day on which the student is no longer expected, where the list gives a last day and no group. */
  withdrawnOn: string | null
}

/** A group that a list makes. */
export interface PlannedGroup {
  name: string
  kind: GroupKind
}

/** A membership that a list makes or changes. */
export interface PlannedMembership {
  /** The key of the membership, where it is there already. */
  membership: number | null
  /** The name of the group. */
  group: string
  /** The first day, as `YYYY-MM-DD`. */
  fromDay: string
  /** The first day on which it is over; `null` for no end. */
  untilDay: string | null
}

/** A student whom a list makes. */
export interface PlannedStudent {
  /** The line of the list. */
  line: number
  rollNumber: string
  name: string
  /** The groups that the student joins. */
  joins: Array<PlannedMembership>
  guardianEmails: Array<string>
}

/** For whom a day is asked. */
export interface PlanOptions {
  /** For this group. Default: for the site. */
  group?: number | null
  /** For this student. */
  studentId?: number | null
}

/** A point in pixels. */
export interface Point {
  x: number
  y: number
}

/** A head pose in degrees, in the frame as received. */
export interface Pose {
  /**
   * Positive when the nose points to the right edge of the image: in a frame that is not mirrored, the person's own
   * left.
   */
  yaw: number
  /** Positive when the face looks up. */
  pitch: number
  /** Positive when the head leans clockwise as seen. */
  roll: number
  /** Where the nose lies between the eyes. It does not move when a flat picture of a face is turned. */
  noseOffset: number
}

/**
 * Where the head is to point. Left and right are the person's own. Only a random order of a session with `nods` asks
 * for `up` and `down`.
 */
export type Position = 'center' | 'left' | 'right' | 'up' | 'down'

/**
 * What runs the models. Anything but the CPU needs a build with its feature and an ONNX Runtime library made for it;
 * asked for and not there, it is an error and never a silent CPU.
 */
export type Provider = 'cpu' | 'cuda' | 'tensorrt' | 'coreml' | 'directml' | 'openvino'

/** Figures about one view of a face. */
export interface Quality {
  /** The distance between the eyes, in pixels. */
  eyeDistance: number
  /** Variance of the Laplacian of the gray face, aligned to 112 x 112; below 20 it counts as blurred. */
  sharpness: number
  /** Mean luminance of the aligned face, in [0, 255]. */
  brightness: number
  /** The part of the face box that lies inside the frame, in [0, 1]. */
  visible: number
  /** What speaks against using this view; empty for a good one. */
  reasons: Array<QualityReason>
}

/**
 * What becomes of a center view that is too dark, too small, blurred or cut off: `refuse` it, or accept it with a
 * `remark`.
 */
export type QualityGate = 'refuse' | 'remark'

/** From where on a view is not good enough. */
export interface QualityOptions {
  /** The least distance between the eyes, in pixels. Default 16. */
  minEyeDistance?: number
  /** The least variance of the Laplacian. Default 20. */
  minSharpness?: number
  /** The least mean luminance, in [0, 255]. Default 40. */
  minBrightness?: number
  /** The greatest mean luminance, in [0, 255]. Default 225. */
  maxBrightness?: number
  /** The largest yaw and pitch either way, in degrees. Default 45. */
  maxTurn?: number
  /** The least part of the face box inside the frame, in [0, 1]. Default 0.85. */
  minVisible?: number
}

/** A reason not to enrol or match a view. */
export type QualityReason = 'too_small' | 'blurred' | 'too_dark' | 'too_bright' | 'pose_too_far' | 'truncated'

/** The contents of a receipt, as `JSON.stringify` writes them. */
export interface ReceiptContents {
  studentId: number
  model: string
  issuedAt: Date
  livenessScore: number
  order: Order
  passive: PassiveVerdict
  nonce: string
}

/** An upright box in pixels: `x1 <= x2`, `y1 <= y2`. It may reach over the frame's edge. */
export interface Rect {
  x1: number
  y1: number
  x2: number
  y2: number
}

/** Why a change cannot be made. */
export interface RefusedChange {
  /** The place of the change in the list, from 0. */
  place: number
  code: FaceAttendErrorCode
  message: string
}

/** Who registers a student. */
export interface RegisterOptions {
  /** The name in the audit log. Default `node`. */
  actor?: string
}

/** What became of a group: it is gone, because it never had a member, or it is archived. */
export type RemovedGroup = 'removed' | 'archived'

/** What a change did: it made something, it changed something that was there, or all was so already. */
export type RosterChanged = 'created' | 'changed' | 'unchanged'

/** Who changes a roster, and whether it is only tried. */
export interface RosterChangeOptions {
  /** Whether the changes are tried and taken back. Default false. */
  preview?: boolean
  /** Who makes them. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** Whom to read about, until when. */
export interface RosterDaysOptions {
  /** The last day, itself included, as `YYYY-MM-DD`. Default: the first day. At most 800 days are read. */
  lastDay?: string
  /** The members of this group alone. */
  group?: number | null
  /** This student alone. */
  studentId?: number | null
  /** The moment up to which people may still come. Default: now. */
  now?: Date
}

/** How a student attended a period of a day in which the student was expected. */
export interface RosterEntry {
  studentId: number
  name: string
  rollNumber: string
  /** The site's day as `YYYY-MM-DD`. */
  day: string
  /** The period; `day` of a day that is marked once. */
  period: string
  status: DayStatus
  /** When the student was marked; `null` without a mark. */
  at: Date | null
  /** The excuse of one who was not there; `null` without one. Its reason may tell of an illness. */
  excuse: Excuse | null
}

/**
 * How an import ended: all of the plan was carried out; or nothing has changed, because the database had changed since
 * the plan with the given fingerprint, or because of the plan's problems.
 */
export interface RosterImport {
  outcome: 'done' | 'outdated' | 'refused'
  plan: RosterPlan
}

/** How a list of students is imported. */
export interface RosterImportOptions {
  /** The sheet of a workbook. Default: its first one that is not hidden. */
  sheet?: string
  /** The encoding of a CSV file, such as `windows-1251`. Default: told by the file. */
  encoding?: string
  /** Whether the students whom the list does not name are withdrawn. Nobody is erased. Default false. */
  withdrawMissing?: boolean
  /**
   * The day on which memberships begin and end, as `YYYY-MM-DD`, unless the list says another. Default: the day of
   * `at`.
   */
  day?: string
  /** The language of letters to guardians who are new. Default `en`. */
  language?: string
  /** That of a plan: nothing is imported when the database has changed so that another plan would come out. */
  fingerprint?: string
  /** Who imports. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** What became of changes: all were made (or would be, in a preview), or nothing has changed. */
export interface RosterOutcome {
  outcome: 'done' | 'refused'
  /** What each change did; empty when they were refused. */
  changed: Array<RosterChanged>
  /** The changes that cannot be made. */
  refused: Array<RefusedChange>
}

/** What the import of a list would change. */
export interface RosterPlan {
  newGroups: Array<PlannedGroup>
  new: Array<PlannedStudent>
  changed: Array<PlannedChange>
  /** How many students the list names who stay as they are. */
  unchanged: number
  /** The students whom the list does not name, without those who are withdrawn. */
  unlisted: Array<UnlistedStudent>
  /** Whether they are withdrawn. */
  withdraws: boolean
  /** What is wrong, by line. A list with problems is not imported. */
  problems: Array<RosterProblem>
  /** Whether nothing would change. */
  isEmpty: boolean
  /** What tells this plan from every other: see `RosterImportOptions.fingerprint`. */
  fingerprint: string
  /** The sheet of a workbook that was read. */
  sheet: string | null
  /** The other sheets of the workbook. */
  otherSheets: Array<string>
  /** The encoding of a CSV file where the file does not say it: look whether the names are right. */
  guessedEncoding: string | null
  /** The headings of columns that were not read. */
  unknownColumns: Array<string>
}

/** What is wrong with a list, and what to do about it. */
export interface RosterProblem {
  /** The line of the file or the row of the sheet, from 1; `null` where the whole file is meant. */
  line: number | null
  /** The heading of the column, as the file has it. */
  column: string | null
  /** A stable word, such as `missing`, `roll_number_twice` or `bad_date`. */
  code: string
  /** The text, name, number or limit that it is about; may be empty. */
  value: string
  message: string
}

/** How rosters are kept. */
export interface RostersOptions {
  /** The rules of the site, the same as those of its `AttendanceBook`: they say which day it is. */
  policy?: AttendanceOptions
}

/** A student of a roster. */
export interface RosterStudent {
  /** The key. */
  id: number
  name: string
  rollNumber: string
  createdAt: Date
}

/** A sighting of somebody whom a camera recognized and did not believe to be alive. There is no picture of it. */
export interface SecondLook {
  /** The key. It is never given to another sighting. */
  id: number
  studentId: number
  studentName: string
  studentRollNumber: string
  /** When the student was seen: the time of the mark that a confirmation makes. */
  timestamp: Date
  /** The site's day as `YYYY-MM-DD`. */
  day: string
  /** The part of the day that is marked once. */
  period: string
  /** `Present` or `Late`: the status of the mark that a confirmation makes. */
  status: string
  /** The similarity of the match, in [0, 1]. */
  confidenceScore: number | null
  /** The camera's place. */
  cameraLocation: string | null
  verdict: SecondLookVerdict
  /** Why, as stable codes such as `few_views`. */
  reasons: Array<string>
  state: SecondLookState
  /** Who decided; `null` until then. */
  decidedBy: string | null
  /** When it was decided; `null` until then. */
  decidedAt: Date | null
}

/** What a person says of a sighting: the student was there, or it was not the student. */
export type SecondLookAnswer = 'confirm' | 'refuse'

/** What came of a sighting for the second-look list. */
export interface SecondLooking {
  /** Whether this call made the entry. */
  newlyListed: boolean
  /** The entry, new or open before; `null` where the student is marked. */
  look: SecondLook | null
  /** The row that marks the student; `null` where the sighting is on the list. */
  record: AttendanceRecord | null
}

/** A slice of the second-look list, newest first. */
export interface SecondLookList {
  items: Array<SecondLook>
  /** How many there are without the slicing. */
  total: number
}

/** How sure, where and when somebody was seen. */
export interface SecondLookOptions {
  /** How similar the seen face was, in [0, 1]. Default 1. */
  similarity?: number
  /** When. Default: now. */
  at?: Date
  /** The camera's place. */
  cameraLocation?: string
}

/** Which sightings to list. What is left out does not narrow the selection. */
export interface SecondLookQuery {
  /** Those in this state: `open` for those that wait for a decision. */
  state?: SecondLookState
  /** Those of this student. */
  studentId?: number
  /** How many to skip. Default 0. */
  skip?: number
  /** How many to return at most. Default 100. */
  limit?: number
}

/**
 * What has become of a sighting: it waits for a decision, a person confirmed or refused it, or it was settled, because
 * the student was marked otherwise.
 */
export type SecondLookState = 'open' | 'confirmed' | 'refused' | 'settled'

/** What a camera thought: it saw too little to tell, or signs of a photograph or a replay. */
export type SecondLookVerdict = 'undecided' | 'spoof'

/** A face in view of a camera. */
export interface SeenFace {
  /** Where it is, in frame pixels. */
  bbox: Rect
  /**
   * The number of the track: the same face has the same number in the frames before and after. Numbers rise, and a
   * camera never uses one again.
   */
  trackId: number
  /** Whose face it is, as far as its views agree. */
  decision: Decision
  /** The student, when known. */
  studentId: number | null
  /** How similar the face is, in the best of the agreeing views, in [0, 1]; `null` unless known. */
  similarity: number | null
  /**
   * Whether its views show a living person. Nobody looks for it with the gate `off`, and for long only where it
   * decides about a mark.
   */
  liveness: Liveness
  /** What speaks against a living person; `null` for the living. */
  livenessReason: LifeReason | null | null
  /**
   * The movement that the person is asked for with the gate `ask`: `left` and `right` are the person's own. Show it
   * on a screen beside the camera.
   */
  asked: Position | null
}

/** Which of several faces to take further than detection. */
export type Selection = 'all' | 'largest' | 'most_central'

/** A person whom a camera recognized, and what the views say of life. */
export interface Sighting {
  /** The number of the track, as in `SeenFace`. */
  trackId: number
  /** Whom the face shows. */
  studentId: number
  /** How similar the face is, in [0, 1]. */
  similarity: number
  liveness: Liveness
  /** What speaks against a living person; `null` for the living. */
  livenessReason: LifeReason | null | null
  /** When the person was seen last. */
  at: Date
}

/** One day of the site, and the times between which it lies. */
export interface SiteDay {
  /** Its date in the site's time zone, as `YYYY-MM-DD`. */
  date: string
  /** Its first moment. */
  startsAt: Date
  /** The first moment of the next day. */
  endsAt: Date
}

/** From when until when. */
export interface SpanOptions {
  /** The first day, as `YYYY-MM-DD`. Default: the day of `at`. */
  fromDay?: string
  /** The first day on which a membership is over. Default: none; for `leave` the day of `at`. */
  untilDay?: string
  /** Who makes the change. Default `node`. */
  by?: string
  /** When. Default: now. */
  at?: Date
}

/** How many of those who were expected came, and how: each student once for each period of each day. */
export interface StatusCounts {
  /** In time. */
  present: number
  late: number
  /** Gone before the end. */
  leftEarly: number
  /** Not there, and excused. */
  excused: number
  /** Not there. */
  absent: number
  /** Expected, and not late yet. */
  pending: number
  /** How many were expected. */
  expected: number
  /** How many came, in time or not, and stayed or not. */
  came: number
  /**
   * The part of those expected who came, from 0 to 1. An excused absence is an absence; who may still come is left
   * out. `null` where nobody is left.
   */
  rate: number | null
}

/** A student, without the face. */
export interface Student {
  /** The key. It is never given to another student. */
  id: number
  name: string
  /** Unique. */
  rollNumber: string
  /** Whether a liveness session proved the stored face. */
  livenessVerified: boolean
  /** When it did. */
  livenessVerificationDate: Date | null
  /** The liveness score of that session, in [0, 1]; 0 without one. */
  livenessConfidenceScore: number
  /** Whether the student has a stored face. */
  hasFace: boolean
  /** The model of the stored embedding; `null` without one and for one that an older service made. */
  model: string | null
  /** In whole seconds. */
  createdAt: Date
  /** When it was last changed; `null` until then. */
  updatedAt: Date | null
}

/** What to change of a student; what is left out stays. */
export interface StudentChange {
  name?: string
  rollNumber?: string
}

/** A slice of the students. */
export interface StudentList {
  items: Array<Student>
  /** How many there are without the slicing. */
  total: number
}

/** Which students to list. */
export interface StudentQuery {
  /** Those whose name or roll number contains this, without regard to ASCII case; `%` and `_` stand for anything. */
  search?: string
  /** Whether only those without a face are listed. Default false. */
  noFace?: boolean
  /** Default `id`. */
  sort?: StudentsBy
  /** Whether the largest comes first. Default false. */
  descending?: boolean
  /** How many to skip. Default 0. */
  skip?: number
  /** How many to return at most. Default 100. */
  limit?: number
}

/**
 * What students are ordered by: the key, the name without regard to case and accents, the roll number (9 before 10),
 * or whether a face is stored, those without one first.
 */
export type StudentsBy = 'id' | 'name' | 'roll_number' | 'face'

/** What holds from a day on, until the next version of the timetable begins. */
export interface TimetableVersion {
  /** The key. */
  id: number
  /** The key of the group that it is for; `null` for the site. */
  group: number | null
  /** The first day on which it holds, as `YYYY-MM-DD`. */
  validFrom: string
  /** The days on which people are expected. */
  weekdays: Array<Weekday>
  /** The periods of each of these days; none for a day that is marked once. */
  periods: Array<Period>
  createdAt: Date
  /** Who made it. */
  createdBy: string
}

/** Which way the person has to turn, in their own left and right. */
export type TurnAdvice = 'left' | 'further_left' | 'right' | 'further_right' | 'back_from_left' | 'back_from_right' | 'up' | 'further_up' | 'down' | 'further_down' | 'back_from_up' | 'back_from_down'

/** A student whom a list does not name. */
export interface UnlistedStudent {
  studentId: number
  rollNumber: string
  name: string
}

/** What closing a session finds. */
export interface Verification {
  /** `COMPLETED`, `FAILED` or `EXPIRED`. */
  status: LivenessStatus
  /** As in an outcome. */
  livenessScore: number
  /** As in an outcome. */
  movementVerified: boolean
  /** The template to enrol, when the session is complete. */
  finalTemplate: Embedding | null
  /** The positions that are still missing. */
  missing: Array<Position>
}

/** A day of the week. */
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/** A time in which a student is not expected: after the student left, or before the first day. */
export interface Withdrawal {
  /** The key. */
  id: number
  studentId: number
  /** The first day on which the student is not expected, as `YYYY-MM-DD`; `null` before a first day. */
  fromDay: string | null
  /** The day on which the student is expected again; `null` for one who has left. */
  untilDay: string | null
  /** Who noted it. */
  by: string
  /** When it was noted. */
  at: Date
}

export declare namespace models {
  /**
   * Copies a file that was fetched elsewhere into its pack, for machines without internet. Its contents decide its name
   * there. A file of several packs goes into each of them. Rejects with `model` for a file that no pack knows,
   * with its hash and those that are expected; with `state` when the licence has to be accepted.
   */
  export function add(file: string, options?: AddOptions & Abortable): Promise<Array<AddedFile>>
  /** A file that is in its place now. */
  export interface AddedFile {
    pack: string
    /** Its name in that pack. */
    file: string
    path: string
    /** The names of the files that the pack still needs. */
    missing: Array<string>
  }
  /** How a file is added. */
  export interface AddOptions {
    /** Default: `FACEATTEND_MODELS`, else `faceattend/models` in the user's folder for data. */
    folder?: string
    /** Only into this pack. Default: every pack that the file belongs to. */
    pack?: string
    /** For packs whose licence has to be accepted: that the user has read and accepted it. Default false. */
    acceptLicense?: boolean
  }
  /** How a file on disk compares with the manifest; `unverifiable` where the manifest has no hash. */
  export type FileCondition = 'sound' | 'missing' | 'damaged' | 'unverifiable'
  /** Where packs are installed. */
  export interface FolderOptions {
    /** Default: `FACEATTEND_MODELS`, else `faceattend/models` in the user's folder for data. */
    folder?: string
  }
  /** Resolves to every pack that this version knows, and what is on disk. It reads and hashes all files. */
  export function list(options?: FolderOptions & Abortable): Promise<Array<ModelPack>>
  /** Models that belong together, under one licence. */
  export interface ModelPack {
    /** What `EngineOptions.pack` and `pull` take. */
    name: string
    title: string
    /** An SPDX expression where there is one. */
    license: string
    commercialUse: boolean
    /** Whether the licence has to be accepted before the pack is fetched. */
    requiresAcceptance: boolean
    /** Whether the pack is part of this package: then its files need not be on disk. */
    builtIn: boolean
    /** Belongs in every product that ships it. */
    attribution: string
    note: string | null
    files: Array<models.PackFile>
  }
    /** One model file of a pack. */
  export interface PackFile {
    name: string
    /** What it is for. */
    role: 'detector' | 'mesh' | 'embedder' | 'antispoof'
    /** In bytes; `null` for a file that cannot be had. */
    size: number | null
    condition: models.FileCondition
    /** Where it lies, or would lie. */
    path: string
    /** Why it cannot be fetched. */
    unavailable: string | null
  }
  /**
   * Fetches the missing and damaged files of a pack, checked against the manifest's hashes, and resolves to the paths of
   * its files. An interrupted download continues where it broke off. It is needed before the first use of a pack that is
   * not built in, never at run time. Rejects with `state` when the licence has to be accepted, with `download` when a
   * file could not be fetched.
   *
   * `signal` stops the download itself, within a fraction of a second. What has arrived is kept, and the next pull
   * continues from there.
   */
  export function pull(pack: string, options?: PullOptions & Abortable): Promise<Array<string>>
  /** How much of one file has arrived, in bytes. */
  export interface PullProgress {
    file: string
    done: number
    total: number
  }
  /** Resolves to one pack and what of it is on disk. Rejects with `model` for an unknown name. */
  export function verify(pack: string, options?: FolderOptions & Abortable): Promise<ModelPack>
}

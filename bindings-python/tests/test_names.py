"""A name of the core is the same name in Python and in Node.

The core's names come from ``core/public-api.txt``, Python's from the module, Node's from ``index.d.ts``. What one side
calls otherwise, or leaves out, stands in the tables below with its reason; an entry that is no longer needed fails too.
"""

from __future__ import annotations

import re

import pytest

import faceattend

from .conftest import ROOT

# The core's type (the parts of a trait that was split count as one), Python's class, Node's class or interface. Without
# a class, Python has the dictionary of that name in `faceattend.types`.
TYPES = {
    "Engine": ("Engine", "Engine"),
    "Gallery": ("Gallery", "Gallery"),
    "Match": ("Match", "Match"),
    "LivenessSession": ("LivenessSession", "LivenessSession"),
    "Outcome": ("Outcome", "Outcome"),
    "Verification": ("Verification", "Verification"),
    "Receipt": ("Receipt", "Receipt"),
    "ReceiptKey": ("ReceiptKey", "ReceiptKey"),
    "Marker": ("AttendanceBook", "AttendanceBook"),
    "Store": ("Store", "Store"),
    "Student": ("Student", "Student"),
    "AttendanceRecord": ("AttendanceRecord", "AttendanceRecord"),
    "AttendanceSummary": (None, "AttendanceSummary"),
    "Erasure": ("Erasure", "Erasure"),
    "SecondLook": ("SecondLook", "SecondLook"),
    "Pose": ("Pose", "Pose"),
    "Quality": ("Quality", "Quality"),
    "Face": ("Face", "Face"),
    "RecognizedFace": ("RecognizedFace", "SeenFace"),
    "Sighting": ("Sighting", "Sighting"),
    "CameraProblem": ("CameraProblem", "CameraProblem"),
    "CameraHealth": (None, "CameraHealth"),
    "Rosters": ("Rosters", "Rosters"),
    "RosterDays": ("RosterDays", "RosterDays"),
    "RosterStudent": (None, "RosterStudent"),
    "Entry": ("RosterEntry", "RosterEntry"),
    "StatusCounts": ("StatusCounts", "StatusCounts"),
    "DayPlan": ("DayPlan", "DayPlan"),
    "ArrivalBin": (None, "ArrivalBin"),
    "Group": (None, "Group"),
    "GroupSize": (None, "GroupSize"),
    "Membership": (None, "Membership"),
    "Withdrawal": (None, "Withdrawal"),
    "TimetableVersion": (None, "TimetableVersion"),
    "CalendarEntry": (None, "CalendarEntry"),
    "Excuse": (None, "Excuse"),
    "RosterPlan": (None, "RosterPlan"),
    "PlannedMembership": (None, "PlannedMembership"),
    "PlannedStudent": (None, "PlannedStudent"),
    "PlannedChange": (None, "PlannedChange"),
    "UnlistedStudent": (None, "UnlistedStudent"),
    "RosterProblem": (None, "RosterProblem"),
    "Guardian": (None, "Guardian"),
}

STORE_PARTS = {
    "Store", "Students", "Templates", "Sessions", "Attendance", "DetectionLogs", "Accounts", "Logins", "Audit",
    "Privacy", "Cluster", "SecondLooks", "KeptCameras", "DeferredWrites", "Guardians", "Kiosks", "Outbox",
}  # fmt: skip

# What the core spells otherwise than both bindings: their name, or `None` where both leave it out, and why.
RENAMED = {
    ("*", "student"): ("student_id", "the bindings have the key, the core its type `StudentId`"),
    ("*", "new"): (None, "a constructor"),
    ("*", "builder"): (None, "options are keyword arguments, or an object"),
    ("CameraProblem", "turned"): (None, "made by the core's `Recognizer`"),
    ("CameraProblem", "for_camera"): (None, "for the server, whose cameras have settings"),
    ("Engine", "reads_pitch"): (None, "a session of the core asks it"),
    ("Engine", "embedder"): (None, "its parts: `model` and `dimension`, or `description`"),
    ("Engine", "analyze_encoded"): (None, "`analyze` and `detect` take the bytes themselves"),
    ("Engine", "deepen"): (None, "for the stages of the core alone"),
    ("Gallery", "embedder"): (None, "as for the engine"),
    ("LivenessSession", "from_state"): (None, "from_json in Python, fromState in Node"),
    ("LivenessSession", "to_state"): (None, "to_json in Python, toState in Node"),
    ("LivenessSession", "with_entropy"): (None, "for tests and replays of the core"),
    ("LivenessSession", "options"): (None, "what matters to a client is `order`"),
    ("LivenessSession", "looks"): (None, "what a store compares, for the core's `Registry`"),
    ("LivenessSession", "position"): (None, "`verified`, and `template` in Python"),
    ("LivenessSession", "final_template"): (None, "`verify` returns it"),
    ("LivenessSession", "templates"): (None, "`consume` returns them"),
    ("LivenessSession", "status_at"): ("status", "the time is an argument or now"),
    ("Marker", "already_marked"): (None, "for the core's `Recognizer`; `mark` says whether the row is new"),
    ("Marker", "policy"): (None, "the bindings hand the policy in, and ask it themselves"),
    ("Marker", "correct"): (None, "corrections need an account, which the server has"),
    ("Marker", "sighting"): (None, "for whoever writes the mark itself: the server"),
    ("Marker", "checks_out"): (None, "as already_marked"),
    ("Marker", "forget_rosters"): (None, "`forget` forgets both"),
    ("Marker", "backlog"): (None, "who uses a binding gets the error, and decides"),
    ("Marker", "with_backlog"): (None, "as backlog"),
    ("Store", "students_of_one_roll_number"): (None, "for the start of the server and `doctor`"),
    ("Store", "student"): ("student", "finds a student"),
    ("Store", "students_listed"): ("students", "its filter and its order are arguments"),
    ("Store", "students_to_enrol_again"): (None, "as `Student.must_enrol_again`"),
    ("Store", "attendance"): (None, "AttendanceBook.records"),
    ("Store", "attendance_in_order"): (None, "AttendanceBook.records, whose order is an argument"),
    ("Store", "attendance_record"): (None, "AttendanceBook.record"),
    ("Store", "attendance_summary"): (None, "AttendanceBook.summary"),
    ("Store", "delete_attendance"): (None, "AttendanceBook.delete"),
    ("Store", "mark_attendance"): (None, "AttendanceBook.mark"),
    ("Store", "add_second_look"): (None, "AttendanceBook.second_look"),
    ("SecondLook", "sighting"): (None, "its fields stand in the row itself"),
    ("Store", "create_session"): (None, "save_session"),
    ("Store", "update_session"): (None, "as create_session"),
    ("Store", "for_each_template"): (None, "load_gallery reads them"),
    ("Store", "template_count"): (None, "load_gallery counts them"),
    ("Erasure", "student"): ("student", "the whole row"),
    ("Erasure", "marks_anonymised"): ("marks_anonymized", "American spelling"),
    ("Student", "must_enrol_again"): (None, "`model` beside the engine's says it"),
    ("AttendanceRecord", "checked_out_at"): (None, "RosterDays tells who left early"),
    ("Rosters", "roster_rows"): (None, "RosterDays reads them"),
    ("RosterDays", "read"): (None, "Rosters.days"),
    ("RosterDays", "plan_of"): ("plan", "of a student, a group or the site"),
    ("RosterDays", "plan_of_group"): ("plan", "of a student, a group or the site"),
    ("RosterDays", "period_now"): (None, "for the board of the server's page"),
    ("Entry", "mark"): ("at", "its time; AttendanceBook.records has the rest"),
    ("StatusCounts", "add"): (None, "the bindings count"),
    ("StatusCounts", "add_all"): (None, "the bindings count"),
    ("DayPlan", "chosen"): (None, "a look into `periods`"),
    ("*", "scope"): ("group", "the key of the group; none for the site"),
    ("*", "holds_on"): (None, "the core's, for its own rules"),
    ("Excuse", "covers"): (None, "the core's, for its own rules"),
    ("PlannedMembership", "from"): ("from_day", "a keyword of Python; as in a membership"),
    ("PlannedMembership", "until"): ("until_day", "as in a membership"),
    ("Face", "antispoof"): ("real", "its score; `real_unavailable` says why there is none"),
    ("Face", "detected"): (None, "a constructor"),
    ("Face", "eyes"): (None, "for the quality gate of the core"),
    ("Pose", "from_landmarks"): (None, "a constructor"),
    ("*", "life"): ("liveness", "its verdict, with `liveness_reason` beside it"),
    ("CameraHealth", "analyzed_per_second"): (None, "for the server's page"),
    ("CameraHealth", "captured_per_second"): (None, "for the server's page"),
    ("CameraHealth", "reconnects"): (None, "for the server's page"),
    ("CameraHealth", "skipped"): (None, "for the server's page"),
}

# Methods of the store for a server alone: its accounts and audit log, its cameras and neighbors, its retention jobs,
# its kiosks, its letters and what it writes when the database is back; and what the core's `Registry` and `Recognizer`
# call for everybody.
SERVER_ONLY = set(
    """
    add_audit add_detection_log add_detection_logs admin admins announce audit begin_login check_out claim_cameras
    cluster consent correct_attendance corrections create_admin detection_logs embedding_json end_login end_logins_of
    follow forget_seen_templates frame_seen_elsewhere keep_seen_template login_holder newest_template release_cameras
    remember_frame renew_login reseal_templates retire sessions_of set_admin_password set_consent
    template_forms update_admin watch_camera watched_cameras keep_camera
    keep_started_camera kept_cameras kept_camera change_kept_camera pause_cameras remove_kept_camera
    camera_password_forms enrol enrol_unproven keep_watched_camera audit_about login_failures note_login_failure
    forget_login_failures renew_password_hash
    begin_journal journal_position write_deferred
    change_kiosk create_kiosk kiosk kiosk_of_token kiosks mark_vouched note_kiosk_seen open_kiosk_code pair_kiosk
    remove_kiosk revoke_kiosk student_by_roll_number take_back_check_out take_back_mark
    absences_are_written alert_channels alert_rules alert_secret_forms camera_is_down camera_is_up cameras_down
    due_alert_channels keep_alert_channel keep_alert_rule letter_failed letter_sent outbox outbox_of outbox_state
    remove_alert_channel remove_alert_rule resend_letter retire_outbox take_letter write_absences
    """.split()
)

# What only one of the bindings has: the type, the name, why the other one lacks it.
ONLY_PYTHON = {
    ("CameraHealth", "last_frame_age"): "last_frame_age_ms in Node, in milliseconds",
    ("RecognizedFace", "track"): "track_id in Node",
    ("Sighting", "track"): "track_id in Node",
    ("*", "to_dict"): "Node's values are plain objects already",
    ("Engine", "load"): "Engine.create loads in Node",
    ("Engine", "model"): "Engine.description.embedder in Node",
    ("Engine", "dimension"): "Engine.description.dimension in Node",
    ("Engine", "describe"): "Engine.description in Node, which the core has under that name; it loads nothing there",
    ("Gallery", "model"): "a gallery of Node is made for an engine, whose model it has",
    ("Gallery", "add"): "deprecated",
    ("LivenessSession", "from_json"): "fromState in Node",
    ("LivenessSession", "to_json"): "toState in Node",
    ("LivenessSession", "template"): "Store.saveSession writes them in Node",
    ("Store", "load_gallery"): "Gallery.load in Node",
    ("Outcome", "advice"): "LivenessReason.advice in Node",
    ("Quality", "advice"): "qualityAdvice in Node",
    ("Face", "real_unavailable"): "antispoof_unavailable in Node",
    ("RosterDays", "from_rows"): "for programs whose framework keeps the rows, as Django does",
    ("StatusCounts", "part"): "a value of Node has no methods",
}
ONLY_NODE = {
    ("Engine", "create"): "a constructor",
    ("Engine", "description"): "describe in Python",
    ("Engine", "similarity"): "Embedding.similarity in Python",
    ("Engine", "cosine"): "Embedding.cosine in Python",
    ("Engine", "mean"): "Embedding.mean in Python",
    ("LivenessSession", "from_state"): "from_json in Python",
    ("LivenessSession", "to_state"): "to_json in Python",
    ("Outcome", "steps_done"): "steps[0] in Python",
    ("Store", "open"): "a constructor",
    ("Receipt", "to_json"): "to_dict in Python",
    ("Marker", "day"): "AttendancePolicy.day in Python",
    ("RecognizedFace", "track_id"): "track in Python, as in the core",
    ("Sighting", "track_id"): "track in Python, as in the core",
    ("CameraHealth", "last_frame_age_ms"): "last_frame_age in Python, in seconds",
    ("CameraHealth", "analysed"): "deprecated",
    ("Face", "antispoof_unavailable"): "real_unavailable in Python",
}


def snake(name: str) -> str:
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.replace("JSON", "Json"))
    return name.lower()


def core_names() -> dict[str, set[str]]:
    names: dict[str, set[str]] = {name: set() for name in TYPES}
    for line in (ROOT / "core" / "public-api.txt").read_text().splitlines():
        # Of the modules' own types: what a variant holds has the name of its enum before it.
        found = re.match(r"(?:[a-z]\w*::)*(\w+)(?:::|\.)([a-z]\w*): ", line)
        if found:
            kind = "Store" if found[1] in STORE_PARTS else found[1]
            # The trait has methods alone; there are other things called Store, such as a kind of error.
            if kind in names and (kind != "Store" or line.startswith("store::") and " fn " in line):
                names[kind].add(found[2])
    return names


def node_names() -> dict[str, set[str]]:
    text = (ROOT / "bindings-node" / "index.d.ts").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    names: dict[str, set[str]] = {}
    for found in re.finditer(r"export (?:declare class|interface) (\w+)[^{]*\{\n(.*?)\n\}", text, re.S):
        members = re.findall(r"^  (?:static |get |readonly )?(\w+)\??[(:]", found[2], re.M)
        names.setdefault(found[1], set()).update(snake(name) for name in members if name != "constructor")
    return names


def python_names(name: str) -> set[str]:
    if not hasattr(faceattend, name):
        return set(getattr(faceattend.types, f"{name}Dict").__annotations__)
    return {each for each in vars(getattr(faceattend, name)) if not each.startswith("_")}


CORE, NODE = core_names(), node_names()
ALL = [(kind, python or kind, node) for kind, (python, node) in TYPES.items()]


def excepted(table: dict[tuple[str, str], object], kind: str, name: str) -> bool:
    return (kind, name) in table or ("*", name) in table


@pytest.mark.parametrize("kind, python, node", ALL, ids=[each[0] for each in ALL])
def test_what_the_core_has_both_bindings_have_under_its_name(kind, python, node):
    assert CORE[kind], f"core/public-api.txt names nothing of {kind}"
    lacking = []
    for name in sorted(CORE[kind] - (SERVER_ONLY if kind == "Store" else set())):
        wanted = RENAMED.get((kind, name), RENAMED.get(("*", name), (name, "")))[0]
        if wanted is None:
            continue
        if wanted not in python_names(python) and not excepted(ONLY_NODE, kind, wanted):
            lacking.append(f"Python's {python}.{wanted}")
        if wanted not in NODE[node] and not excepted(ONLY_PYTHON, kind, wanted):
            lacking.append(f"Node's {node}.{wanted}")
    assert not lacking


@pytest.mark.parametrize("kind, python, node", ALL, ids=[each[0] for each in ALL])
def test_what_one_of_the_bindings_has_the_other_has_too(kind, python, node):
    ours, theirs = python_names(python), NODE[node]
    only_ours = {name for name in ours - theirs if not excepted(ONLY_PYTHON, kind, name)}
    only_theirs = {name for name in theirs - ours if not excepted(ONLY_NODE, kind, name)}
    assert (only_ours, only_theirs) == (set(), set())


def test_no_exception_is_there_without_need():
    of_python = {kind: python_names(python) for kind, python, _ in ALL}
    of_node = {kind: NODE[node] for kind, _, node in ALL}
    stale: list[object] = [name for name in SERVER_ONLY if name not in CORE["Store"]]
    stale += [key for key in RENAMED if key[0] != "*" and key[1] not in CORE[key[0]]]
    stale += [key for key in ONLY_PYTHON if key[0] != "*" and key[1] not in of_python[key[0]] - of_node[key[0]]]
    stale += [key for key in ONLY_NODE if key[0] != "*" and key[1] not in of_node[key[0]] - of_python[key[0]]]
    assert not stale

//! The endpoints, a module a group.

mod attendance;
mod auth;
mod detection;
mod face;
mod frames;
mod laptop;
mod liveness;
mod preview;
mod root;
mod students;

use crate::http::routes::Routes;
use crate::state::AppState;

/// Every endpoint, in the order in which the original registers them.
pub(crate) fn table(state: AppState) -> Routes {
    Routes::new(state)
        .get("/", root::root)
        .get("/health", root::health)
        .get("/api/v1/status", root::status)
        .post("/api/v1/auth/login", auth::login)
        .get("/api/v1/auth/me", auth::me)
        .post("/api/v1/auth/logout", auth::logout)
        .post("/api/v1/students/", students::create)
        .get("/api/v1/students/", students::list)
        .get("/api/v1/students/{student_id}", students::get)
        .put("/api/v1/students/{student_id}", students::update)
        .delete("/api/v1/students/{student_id}", students::delete)
        .get("/api/v1/attendance/", attendance::list)
        .post("/api/v1/attendance/mark", attendance::mark)
        .get("/api/v1/attendance/{attendance_id}", attendance::get)
        .get("/api/v1/attendance/stats/summary", attendance::summary)
        .delete("/api/v1/attendance/{attendance_id}", attendance::delete)
        .post("/api/v1/liveness/session", liveness::create)
        .post("/api/v1/liveness/detect", liveness::detect)
        .post("/api/v1/liveness/frames", liveness::detect)
        .post("/api/v1/liveness/verify", liveness::verify)
        .post("/api/v1/liveness/register-student", liveness::register)
        .get("/api/v1/liveness/session/{session_id}", liveness::get)
        .post("/api/v1/detection/start", detection::start)
        .post("/api/v1/detection/stop", detection::stop)
        .post("/api/v1/detection/stop-all", detection::stop_all)
        .get("/api/v1/detection/status", detection::status)
        .get("/api/v1/detection/logs", detection::logs)
        .post("/api/v1/detection/laptop-camera/start", laptop::start)
        .post("/api/v1/detection/laptop-camera/stop", laptop::stop)
        .get("/api/v1/detection/laptop-camera/info", laptop::info)
        .post("/api/v1/detection/laptop-camera/switch", laptop::switch)
        .get("/api/v1/detection/laptop-camera/status", laptop::status)
        .post("/api/v1/detection/frame", frames::frame)
        .post("/api/v1/detection/process-frame", frames::process_frame)
        .get("/api/v1/detection/preview/{camera}", preview::stream)
        .post("/api/v1/face/detect", face::detect)
        .post("/api/v1/face/recognize", face::recognize)
}

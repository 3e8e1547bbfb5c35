//! The endpoints, a module a group.

mod accounts;
mod attendance;
mod auth;
mod complete;
pub(crate) mod detection;
mod export;
mod face;
mod frames;
mod laptop;
mod liveness;
mod passive;
mod preview;
mod privacy;
mod root;
mod service;
mod students;
mod templates;

use crate::auth::Role;
use crate::router::Routes;
use crate::state::AppState;

/// Every endpoint, in the order in which the original registers them.
pub(crate) fn table(state: AppState) -> Routes {
    Routes::new(state)
        .get("/", root::root)
        .get("/health", root::health)
        .get("/ready", service::ready)
        .get("/metrics", service::metrics)
        .get("/api/v1/ping", service::ping)
        .get("/api/v1/models", service::models)
        .get("/api/v1/models/antispoof", passive::standing)
        .least(Role::Admin)
        .post("/api/v1/models/antispoof", passive::fetch)
        .least(Role::Admin)
        .delete("/api/v1/models/antispoof", passive::stop)
        .least(Role::Admin)
        .get("/api/v1/status", root::status)
        .post("/api/v1/auth/login", auth::login)
        .unaudited()
        .post("/api/v1/auth/refresh", auth::refresh)
        .unaudited()
        .get("/api/v1/auth/me", auth::me)
        .post("/api/v1/auth/logout", auth::logout)
        .least(Role::Viewer)
        .get("/api/v1/auth/users", accounts::list)
        .least(Role::Admin)
        .post("/api/v1/auth/users", accounts::create)
        .least(Role::Admin)
        .put("/api/v1/auth/users/{username}", accounts::update)
        .least(Role::Admin)
        .get("/api/v1/audit", accounts::audit)
        .least(Role::Admin)
        .post("/api/v1/students/", students::create)
        .get("/api/v1/students/", students::list)
        .get("/api/v1/students/{student_id}", students::get)
        .put("/api/v1/students/{student_id}", students::update)
        .delete("/api/v1/students/{student_id}", privacy::erase)
        .least(Role::Admin)
        .get("/api/v1/students/{student_id}/export", privacy::export)
        .least(Role::Admin)
        .get("/api/v1/students/{student_id}/templates", templates::list)
        .delete("/api/v1/students/{student_id}/templates/seen", templates::forget_seen)
        .get("/api/v1/students/{student_id}/consent", privacy::consent)
        .put("/api/v1/students/{student_id}/consent", privacy::give)
        .delete("/api/v1/students/{student_id}/consent", privacy::withdraw)
        .get("/api/v1/attendance/", attendance::list)
        .post("/api/v1/attendance/mark", attendance::mark)
        .post("/api/v1/attendance/export", export::export)
        .least(Role::Viewer)
        .get("/api/v1/attendance/{attendance_id}", attendance::get)
        .get("/api/v1/attendance/stats/summary", attendance::summary)
        .delete("/api/v1/attendance/{attendance_id}", attendance::delete)
        .post("/api/v1/liveness/session", liveness::create)
        .post("/api/v1/liveness/detect", liveness::detect)
        .unaudited()
        .post("/api/v1/liveness/frames", liveness::detect)
        .unaudited()
        .post("/api/v1/liveness/complete", complete::complete)
        .post("/api/v1/liveness/verify", liveness::verify)
        .post("/api/v1/liveness/register-student", liveness::register)
        .get("/api/v1/liveness/session/{session_id}", liveness::get)
        .get("/api/v1/liveness/receipt-key", liveness::receipt_key)
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
        .unaudited()
        .post("/api/v1/detection/process-frame", frames::process_frame)
        .unaudited()
        .get("/api/v1/detection/preview/{camera}", preview::stream)
        .post("/api/v1/face/detect", face::detect)
        .unaudited()
        .post("/api/v1/face/recognize", face::recognize)
        .unaudited()
}

//! Pictures that arrive in pieces.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::ImageFormat;
use serde_json::json;

use crate::common::{GREEN, Service, picture};

/// The picture of a person in this format, in bytes.
fn encoded(format: ImageFormat) -> Vec<u8> {
    let png = STANDARD.decode(picture(GREEN, 5)).unwrap();
    // Large enough for the marker to be in the upper half.
    let shown = image::load_from_memory(&png).unwrap().to_rgb8();
    let mut large = image::RgbImage::from_fn(64, 128, |x, y| image::Rgb([(x * 3) as u8, (y * 2) as u8, 90]));
    image::imageops::replace(&mut large, &shown, 0, 0);
    let mut bytes = Cursor::new(Vec::new());
    large.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn half_a_picture_is_refused_wherever_one_is_sent_and_a_missing_end_marker_is_not() {
    let service = Service::start().await;
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let whole = encoded(format);
        for part in [40, 60, 80] {
            let cut = STANDARD.encode(&whole[..whole.len() * part / 100]);
            let session = service.begin(&json!({})).await;
            let frame = service.frame(&session, "center", &cut).await;
            frame.is(400, "Invalid image data");
            for path in ["/api/v1/face/detect", "/api/v1/face/recognize"] {
                service.post(path, &json!({ "image_data": cut })).await.is(400, "Invalid image data");
            }
        }
    }
    let whole = encoded(ImageFormat::Jpeg);
    let without_end = STANDARD.encode(&whole[..whole.len() - 2]);
    let session = service.begin(&json!({})).await;
    let frame = service.frame(&session, "center", &without_end).await.json();
    assert_eq!(frame["is_live"], true, "{frame}");
}

#[tokio::test]
async fn an_export_takes_datetimes_and_dates_and_refuses_what_is_neither_as_the_original_does() {
    let service = Service::start().await;
    let export = async |body| service.post("/api/v1/attendance/export", &body).await;
    for body in [
        json!({}),
        json!({ "start_date": "2024-01-31", "end_date": null, "student_id": null }),
        json!({ "start_date": "2024-01-31T08:00:00", "end_date": "2024-01-31T18:00:00+05:30" }),
        json!({ "start_date": 1_706_659_200 }),
    ] {
        assert_eq!(export(body.clone()).await.status, 200, "{body}");
    }
    let refused = export(json!({ "start_date": "x", "end_date": true, "format": null })).await;
    let body = |name: &str| json!(["body", name]);
    assert_eq!(
        refused.issues(),
        [
            ("datetime_from_date_parsing".to_owned(), body("start_date")),
            ("datetime_type".to_owned(), body("end_date")),
            ("string_type".to_owned(), body("format")),
        ]
    );
    let first = &refused.json()["detail"][0];
    assert_eq!(first["msg"], "Input should be a valid datetime or date, input is too short");
    assert_eq!(first["ctx"], json!({ "error": "input is too short" }));
}

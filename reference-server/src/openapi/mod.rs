//! Makes the OpenAPI 3.1 document from the declarations of the endpoints and the types of their handlers.

pub(crate) mod pages;
mod responses;

use axum::http::Method;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Paths, RefOr, Required};

use crate::request::body::Expects;
use crate::request::input::RequestFields;
use crate::request::kinds::{Field, Place};
use crate::request::paired::KIOSK_COOKIE;
use crate::router::Listed;
use crate::router::described::Described;
use crate::router::endpoint::{Access, Endpoint};

/// The name of the security scheme.
const BEARER: &str = "HTTPBearer";
/// The name of the security scheme of kiosks.
const KIOSK: &str = "KioskCookie";

/// Returns the document of `endpoints`.
pub(crate) fn document(endpoints: &[Listed]) -> OpenApi {
    let mut paths = Paths::new();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let mut components = ComponentsBuilder::new().security_scheme(BEARER, bearer);
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(KIOSK_COOKIE)));
    components = components.security_scheme(KIOSK, cookie);
    for (name, schema) in responses::schemas() {
        components = components.schema(name, schema);
    }
    for Listed { endpoint, describe } in endpoints {
        let mut described = Described::default();
        describe(&mut described);
        components = components.schemas_from_iter(std::mem::take(&mut described.schemas));
        let item = PathItem::new(verb(&endpoint.method), operation(endpoint, described));
        paths.paths.entry(endpoint.path.to_owned()).or_default().merge_operations(item);
    }
    let info = InfoBuilder::new()
        .title("Face Attendance System API")
        .version("2.0.0")
        .description(Some("Liveness registration, face recognition and live attendance."));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn verb(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn operation(endpoint: &Endpoint, described: Described) -> OperationBuilder {
    let Endpoint { method, path, access, .. } = endpoint;
    let name: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut operation = OperationBuilder::new()
        .tag(endpoint.tag.as_str())
        .summary(Some(endpoint.summary))
        .operation_id(Some(format!("{}{}", method.as_str().to_ascii_lowercase(), name.trim_end_matches('_'))))
        .responses(responses::of(endpoint, &described))
        .request_body(body(&described));
    if let Some(least) = access.least() {
        operation = operation
            .security(SecurityRequirement::new(BEARER, Vec::<String>::new()))
            .description(Some(format!("Needs the role {} or a higher one.", least.as_str())));
    }
    if *access == Access::Kiosk {
        operation = operation
            .security(SecurityRequirement::new(KIOSK, Vec::<String>::new()))
            .description(Some("Needs the token of a paired kiosk; no login is enough."));
    }
    for Field { place, name, required, schema } in described.fields.parameters {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(if place == Place::Path { ParameterIn::Path } else { ParameterIn::Query })
            .required(if required { Required::True } else { Required::False })
            .description(schema.description.clone())
            .schema(Some(schema));
        operation = operation.parameter(parameter);
    }
    operation
}

fn body(described: &Described) -> Option<RequestBody> {
    let body = RequestBodyBuilder::new();
    if let Some(form) = &described.form {
        let content = ContentBuilder::new().schema(Some(form.clone())).build();
        return Some(body.required(Some(Required::True)).content("multipart/form-data", content).build());
    }
    let RequestFields { bodies, .. } = &described.fields;
    let (expects, _) = bodies.first()?;
    let schemas: Vec<Schema> = bodies.iter().map(|(_, fields)| object(fields)).collect();
    let schema: RefOr<Schema> = match schemas.as_slice() {
        [only] => only.clone().into(),
        several => several.iter().fold(AnyOfBuilder::new(), |any, one| any.item(one.clone())).into(),
    };
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let required = if *expects == Expects::OptionalDictionary { Required::False } else { Required::True };
    let mut body = body.required(Some(required)).content("application/json", content.clone());
    if *expects == Expects::JsonOrForm {
        body = body.content("application/x-www-form-urlencoded", content);
    }
    Some(body.build())
}

fn object(fields: &[Field]) -> Schema {
    let mut object = ObjectBuilder::new();
    for Field { name, required, schema, .. } in fields {
        object = object.property(*name, schema.clone());
        if *required {
            object = object.required(*name);
        }
    }
    object.build().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_that_the_document_refers_to_is_in_it() {
        let document = serde_json::to_value(document(&crate::api::table().take_endpoints())).unwrap();
        let text = document.to_string();
        let named: Vec<&str> =
            text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(named.len() > 50, "{}", named.len());
        for name in named {
            assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not described");
        }
    }
}

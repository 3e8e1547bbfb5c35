//! Describes an endpoint by the types in its handler's signature: the fields that are read and the answers.

use std::future::Future;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder, Ref, RefOr};

use crate::error::AppError;
use crate::net::origin::Origin;
use crate::net::peer::Peer;
use crate::request::extract::{Authed, FRAME, Open, Upload};
use crate::request::fields::Reader;
use crate::request::file::{AuthedFile, FILE};
use crate::request::input::{Input, RequestFields};
use crate::request::paired::Paired;
use crate::state::AppState;

/// The description of an endpoint, as its handler's types give it.
#[derive(Default)]
pub(crate) struct Described {
    /// Whether the handler asks for credentials.
    pub(crate) authed: bool,
    /// Whether the handler asks for the token of a kiosk.
    pub(crate) paired: bool,
    pub(crate) fields: RequestFields,
    /// Reads the fields of a request; whether all of them could be read.
    pub(crate) read: Option<fn(&mut Reader) -> bool>,
    /// The schema of the multipart form, where the handler takes one.
    pub(crate) form: Option<Object>,
    /// Status, media type and schema of each answer.
    pub(crate) answers: Vec<(u16, &'static str, RefOr<Schema>)>,
    /// The named schemas that the answers refer to.
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Described {
    /// Adds an answer in JSON.
    pub(crate) fn json<T: ToSchema>(&mut self, status: StatusCode) {
        let name = name_of::<T>();
        let schema = RefOr::Ref(Ref::from_schema_name(&name));
        self.schemas.push((name, T::schema()));
        T::schemas(&mut self.schemas);
        self.answers.push((status.as_u16(), "application/json", schema));
    }

    /// Adds an answer of another media type.
    pub(crate) fn file(&mut self, kind: &'static str) {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        self.answers.push((200, kind, schema.into()));
    }
}

/// Returns the name of the schema of `T`. `ToSchema` leaves the arguments of a generic type out of its name and writes
/// `Reply_Account` only where such a type is a field; so does this.
fn name_of<T: ToSchema>() -> String {
    let path = std::any::type_name::<T>();
    if !path.contains('<') {
        return T::name().into_owned();
    }
    let words = path.split(['<', '>', ',', ' ']).filter(|word| !word.is_empty());
    words.map(|word| word.rsplit("::").next().unwrap_or(word)).collect::<Vec<_>>().join("_")
}

/// An argument of a handler.
pub(crate) trait Argument {
    fn describe(described: &mut Described);
}

impl<I: Input> Argument for Authed<I> {
    fn describe(described: &mut Described) {
        described.authed = true;
        described.read = Some(|reader| I::read(reader).is_some());
        I::describe(&mut described.fields);
    }
}

impl<I: Input> Argument for Paired<I> {
    fn describe(described: &mut Described) {
        described.paired = true;
        described.read = Some(|reader| I::read(reader).is_some());
        I::describe(&mut described.fields);
    }
}

impl<I: Input> Argument for Open<I> {
    fn describe(described: &mut Described) {
        described.read = Some(|reader| I::read(reader).is_some());
        I::describe(&mut described.fields);
    }
}

impl Argument for Upload {
    fn describe(described: &mut Described) {
        described.authed = true;
        described.form = Some(form_with(FRAME));
    }
}

impl<I: Input> Argument for AuthedFile<I> {
    fn describe(described: &mut Described) {
        described.authed = true;
        described.read = Some(|reader| I::read(reader).is_some());
        I::describe(&mut described.fields);
        described.form = Some(form_with(FILE));
    }
}

/// The schema of a multipart form with one file.
fn form_with(name: &str) -> Object {
    let binary = Some(SchemaFormat::KnownFormat(KnownFormat::Binary));
    let file = ObjectBuilder::new().schema_type(Type::String).format(binary);
    ObjectBuilder::new().property(name, file).required(name).build()
}

impl Argument for State<AppState> {
    fn describe(_described: &mut Described) {}
}

impl Argument for Peer {
    fn describe(_described: &mut Described) {}
}

impl Argument for Origin {
    fn describe(_described: &mut Described) {}
}

impl Argument for HeaderMap {
    fn describe(_described: &mut Described) {}
}

/// The answer of a handler.
pub(crate) trait Answer {
    fn describe(described: &mut Described);
}

impl<T: ToSchema> Answer for Json<T> {
    fn describe(described: &mut Described) {
        described.json::<T>(StatusCode::OK);
    }
}

/// The errors are those of the endpoint's declaration.
impl<A: Answer> Answer for Result<A, AppError> {
    fn describe(described: &mut Described) {
        A::describe(described);
    }
}

/// A handler whose arguments and answer describe it.
pub(crate) trait Describes<Arguments> {
    fn describe(described: &mut Described);
}

macro_rules! describes {
    ($($argument:ident)*) => {
        impl<F, Answering, $($argument,)*> Describes<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Answering,
            Answering: Future<Output: Answer>,
            $($argument: Argument,)*
        {
            fn describe(described: &mut Described) {
                $($argument::describe(described);)*
                <Answering::Output as Answer>::describe(described);
            }
        }
    };
}

describes!();
describes!(A);
describes!(A B);
describes!(A B C);
describes!(A B C D);

//! Declares the fields of a request once: the declaration makes the type, its reading and its part of the document.

use crate::request::body::Expects;
use crate::request::fields::Reader;
use crate::request::kinds::{Field, Place};

/// The fields of a request as a type. [`input!`](crate::request::input::input) makes one from a list of fields.
pub(crate) trait Input: Sized {
    /// The kind of body that it reads.
    const EXPECTS: Expects = Expects::Nothing;

    /// Reads every field, so that every issue is noted; returns `None` where one cannot be read.
    fn read(request: &mut Reader) -> Option<Self>;

    /// Adds the fields to the description of the endpoint.
    fn describe(fields: &mut RequestFields);
}

/// A request without fields.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Input for Nothing {
    fn read(_request: &mut Reader) -> Option<Self> {
        Some(Self)
    }

    fn describe(_fields: &mut RequestFields) {}
}

/// The fields of a request, for the document.
#[derive(Default)]
pub(crate) struct RequestFields {
    /// Those of the path and the query.
    pub(crate) parameters: Vec<Field>,
    /// Those of the body; one list for each kind of body that is accepted.
    pub(crate) bodies: Vec<(Expects, Vec<Field>)>,
}

impl RequestFields {
    /// Adds the fields of one declaration, whose body, if it has one, is read as `expects`.
    pub(crate) fn add(&mut self, expects: Expects, fields: Vec<Field>) {
        let (body, parameters) = fields.into_iter().partition(|field| field.place == Place::Body);
        self.parameters.extend::<Vec<_>>(parameters);
        if expects != Expects::Nothing {
            self.bodies.push((expects, body));
        }
    }
}

/// Declares a request: its fields in the path, the query and the body, each with its kind. The fields are read in the
/// order in which they stand here.
///
/// ```ignore
/// input! {
///     /// A student to create.
///     pub(crate) struct NewStudent {
///         body Json {
///             name: String = texts::STUDENT_NAME,
///             /// As the school writes it.
///             roll_number: Option<String> = Optional(texts::ROLL_NUMBER),
///         }
///     }
/// }
/// ```
macro_rules! input {
    (
        $(#[$meta:meta])*
        pub(crate) struct $input:ident {
            $(path { $($(#[doc = $p_doc:literal])* $p:ident: $p_type:ty = $p_kind:expr,)* })?
            $(query { $($(#[doc = $q_doc:literal])* $q:ident: $q_type:ty = $q_kind:expr,)* })?
            $(body $expects:ident { $($(#[doc = $b_doc:literal])* $b:ident: $b_type:ty = $b_kind:expr,)* })?
        }
    ) => {
        $(#[$meta])*
        pub(crate) struct $input {
            $($($(#[doc = $p_doc])* pub(crate) $p: $p_type,)*)?
            $($($(#[doc = $q_doc])* pub(crate) $q: $q_type,)*)?
            $($($(#[doc = $b_doc])* pub(crate) $b: $b_type,)*)?
        }

        impl $crate::request::input::Input for $input {
            $(const EXPECTS: $crate::request::body::Expects = $crate::request::body::Expects::$expects;)?

            fn read(request: &mut $crate::request::fields::Reader) -> Option<Self> {
                use $crate::request::kinds::Kind as _;
                $(
                    let mut path = request.path();
                    $(let $p = ($p_kind).read(&mut path, stringify!($p));)*
                )?
                $(
                    let mut query = request.query();
                    $(let $q = ($q_kind).read(&mut query, stringify!($q));)*
                )?
                $(
                    let mut body = request.body($crate::request::body::Expects::$expects)?;
                    $(let $b = ($b_kind).read(&mut body, stringify!($b));)*
                )?
                Some(Self { $($($p: $p?,)*)? $($($q: $q?,)*)? $($($b: $b?,)*)? })
            }

            fn describe(fields: &mut $crate::request::input::RequestFields) {
                use $crate::request::kinds::{Field, Place};
                let described = vec![
                    $($(Field::new(Place::Path, stringify!($p), &[$($p_doc),*], &$p_kind),)*)?
                    $($(Field::new(Place::Query, stringify!($q), &[$($q_doc),*], &$q_kind),)*)?
                    $($(Field::new(Place::Body, stringify!($b), &[$($b_doc),*], &$b_kind),)*)?
                ];
                fields.add(<Self as $crate::request::input::Input>::EXPECTS, described);
            }
        }
    };
}

pub(crate) use input;

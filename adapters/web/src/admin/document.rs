//! The OpenAPI document: what the areas say of themselves, and what holds for all of them.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use poem::endpoint::BoxEndpoint;
use poem::http::{Method, StatusCode};
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::{Map, Value, json};

use super::{Areas, PREFIX, problems};

const DESCRIPTION: &str = "What operators ask and do. Everything under `/admin/v1` needs `Authorization: Bearer` with \
                           the value of `ADMIN_TOKEN`. Every error is a problem as in RFC 9457 with a `code` that stays the same.";

/// The OpenAPI document of the admin API as JSON text; `docs/openapi.json` is the same.
#[must_use]
pub fn openapi_document() -> String {
    let service =
        OpenApiService::new(Described::<Areas>(PhantomData), "Processor", env!("CARGO_PKG_VERSION"))
            .description(DESCRIPTION)
            .url_prefix(PREFIX);
    // What was serialised just now can be read again.
    let mut document: Value = serde_json::from_str(&service.spec()).unwrap_or_default();
    for (_, operations) in members(&mut document["paths"]) {
        for (_, operation) in members(operations) {
            complete(operation);
        }
    }
    for (_, schema) in members(&mut document["components"]["schemas"]) {
        admit_null(schema);
    }
    document["components"]["schemas"]["Problem"] = problems::schema();
    document["security"] = json!([{"admin_token": []}]);
    document["components"]["securitySchemes"] = json!({"admin_token": {"type": "http", "scheme": "bearer"}});
    format!("{:#}\n", sorted(document))
}

/// The same with members by name, whatever order the program is built to keep them in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(members) => {
            let members: BTreeMap<_, _> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        other => other,
    }
}

/// What areas say of themselves, without the areas.
struct Described<T>(PhantomData<T>);

impl<T: OpenApi> OpenApi for Described<T> {
    fn meta() -> Vec<MetaApi> {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

/// What an object need not have is null where it has none, which the framework does not say.
fn admit_null(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    // Of a schema that is no object, indexing would make one.
    let Some(properties) = schema.get_mut("properties") else { return };
    let optional = members(properties)
        .filter(|(name, _)| !required.iter().any(|required| required.as_str() == Some(name)));
    for (_, property) in optional {
        if property["$ref"].is_string() {
            *property = json!({ "allOf": [property.take()] });
        }
        property["nullable"] = true.into();
    }
}

/// Adds to an operation the problems that every one has, and an example of each problem.
fn complete(operation: &mut Value) {
    let has_parameters = operation["parameters"].as_array().is_some_and(|parameters| !parameters.is_empty());
    let has_body = operation["requestBody"].is_object();
    let common = [
        (has_parameters, 400, "`invalid_parameter`: A parameter is not as it is described here"),
        (has_body, 400, "`invalid_body`: The body is not as it is described here"),
        (true, 401, "`unauthorized`: The token is missing or another one"),
        (has_body, 413, "`body_too_large`: The body is too large"),
        (has_body, 415, "`unsupported_media_type`: The body is not JSON"),
        (true, 500, "`internal`: A fault of the program"),
        (true, 503, "`busy`: Too many requests are being answered; come again"),
        (true, 504, "`too_slow`: There was no answer in the time allowed"),
    ];
    for (_, status, description) in common.into_iter().filter(|(holds, ..)| *holds) {
        let response = &mut operation["responses"][status.to_string()];
        let lines = match response["description"].as_str() {
            Some(lines) => format!("{lines}\n{description}"),
            None => description.to_owned(),
        };
        response["description"] = lines.into();
        response["content"]["application/problem+json"]["schema"]["$ref"] =
            "#/components/schemas/Problem".into();
    }
    for (status, response) in members(&mut operation["responses"]) {
        let Ok(status) = status.parse::<StatusCode>() else { continue };
        if status.is_success() {
            // The framework has no words for it.
            if response["description"] == "" {
                response["description"] = "As asked".into();
            }
            continue;
        }
        let examples = examples(status, response["description"].as_str().unwrap_or_default());
        response["content"]["application/problem+json"]["examples"] = Value::Object(examples);
    }
}

/// A problem for each line of a description that says "`code`: sentence".
fn examples(status: StatusCode, description: &str) -> Map<String, Value> {
    let lines = description.lines().filter_map(|line| line.trim().strip_prefix('`')?.split_once("`: "));
    let example = |(code, detail): (&str, &str)| {
        let title = status.canonical_reason().unwrap_or_default();
        let problem = json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail,
        });
        (code.to_owned(), json!({"value": problem}))
    };
    lines.map(example).collect()
}

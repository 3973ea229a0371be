//! Which methods a path knows, for whoever asked with another one.

use poem::error::MethodNotAllowedError;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Error, Request, Result};
use poem_openapi::OpenApi;

use crate::problem::Problem;

/// A path with its parameters, and the methods it knows.
struct Known {
    path: String,
    methods: HeaderValue,
}

/// Tells of the methods that a path knows.
pub(super) struct Allowing<E> {
    inner: E,
    known: Vec<Known>,
}

impl<E> Allowing<E> {
    /// For the paths of these areas.
    pub(super) fn of<T: OpenApi>(inner: E) -> Self {
        let paths = T::meta().into_iter().flat_map(|area| area.paths);
        let known = paths.filter_map(|path| {
            let mut methods: Vec<_> = path.operations.iter().map(|one| one.method.to_string()).collect();
            if methods.iter().any(|method| method == "GET") {
                methods.push("HEAD".to_owned());
            }
            Some(Known { path: path.path, methods: HeaderValue::try_from(methods.join(", ")).ok()? })
        });
        Self { inner, known: known.collect() }
    }

    fn problem(&self, path: &str) -> Problem {
        // A path of its own goes before one with a parameter that stands for it.
        let known = self.known.iter().filter(|known| is_at(&known.path, path));
        let known = known.min_by_key(|known| known.path.matches('{').count());
        let methods = known.map_or(HeaderValue::from_static(""), |known| known.methods.clone());
        not_allowed(methods)
    }
}

impl<E: Endpoint> Endpoint for Allowing<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        let path = request.uri().path().to_owned();
        let not_known = |error: Error| {
            if error.is::<MethodNotAllowedError>() { self.problem(&path).into() } else { error }
        };
        self.inner.call(request).await.map_err(not_known)
    }
}

/// This path knows other methods.
pub(super) fn not_allowed(methods: HeaderValue) -> Problem {
    let detail = "this path does not know this method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).header(header::ALLOW, methods)
}

/// Whether `path` is one of those that `/things/{id}` stands for.
fn is_at(known: &str, path: &str) -> bool {
    let (mut known, mut path) = (known.split('/'), path.split('/'));
    loop {
        match (known.next(), path.next()) {
            (None, None) => return true,
            (Some(known), Some(part)) if known.starts_with('{') || known == part => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_parameter_stands_for_one_part_of_a_path() {
        for (known, path, is) in [
            ("/live", "/live", true),
            ("/live", "/live/", false),
            ("/live", "/roster", false),
            ("/devices/{id}", "/devices/1", true),
            ("/devices/{id}", "/devices/1/explain", false),
            ("/devices/{id}/explain", "/devices/1/explain", true),
        ] {
            assert_eq!(is_at(known, path), is, "{known} {path}");
        }
    }
}

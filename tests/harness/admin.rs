use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::{Processor, ProcessorBuilder, http};

/// The token of every program that is started with one.
const TOKEN: &str = "the-admin-token-of-journeys";

/// Longer than the program allows itself.
const LIMIT: Duration = Duration::from_secs(30);

impl ProcessorBuilder {
    /// With the admin API.
    #[must_use]
    pub fn with_admin(self) -> Self {
        self.env("ADMIN_TOKEN", TOKEN)
    }
}

impl Processor {
    /// Asks the admin API, of a program that was started [with it](ProcessorBuilder::with_admin): status and body.
    /// The path is what comes after `/admin/v1`.
    ///
    /// # Errors
    /// If there is no answer, or one that is not JSON.
    pub async fn admin(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        self.admin_with(method, path, &[], body).await
    }

    /// The same with more headers, each a whole line.
    ///
    /// # Errors
    /// If there is no answer, or one that is not JSON.
    pub async fn admin_with(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let address = self.address()?;
        let answer = http::ask(&address, &request(&address, method, path, headers, body), LIMIT).await?;
        let body = if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body)? };
        Ok((answer.status, body))
    }

    /// Asks the admin API and goes away after this time, whether or not there was an answer.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn ask_admin_and_leave(&self, path: &str, time: Duration) -> anyhow::Result<()> {
        let address = self.address()?;
        let mut connection = TcpStream::connect(&address).await?;
        connection.write_all(request(&address, "GET", path, &[], None).as_bytes()).await?;
        tokio::time::sleep(time).await;
        Ok(())
    }
}

fn request(address: &str, method: &str, path: &str, headers: &[&str], body: Option<&Value>) -> String {
    let body = body.map(Value::to_string).unwrap_or_default();
    let more: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
    format!(
        "{method} /admin/v1{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n{body}",
        body.len()
    )
}

impl Processor {
    /// Asks the admin API for something that is not JSON: status and body, which ends with the connection.
    ///
    /// # Errors
    /// If there is no answer, or one that is not text.
    pub async fn admin_text(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let address = self.address()?;
        let request = request(&address, "GET", path, &[], None).replacen("HTTP/1.1", "HTTP/1.0", 1);
        let answer = http::ask(&address, &request, LIMIT).await?;
        Ok((answer.status, answer.body))
    }

    /// Asks the admin API and reads nothing of the answer: it goes on for as long as the connection is not dropped.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn ask_admin_and_read_nothing(&self, path: &str) -> anyhow::Result<TcpStream> {
        let address = self.address()?;
        let mut connection = TcpStream::connect(&address).await?;
        connection.write_all(request(&address, "GET", path, &[], None).as_bytes()).await?;
        Ok(connection)
    }
}

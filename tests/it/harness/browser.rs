//! An operator's browser, as far as the console's calls see it: a cookie, a CSRF token, an origin.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use chatsync::domain::Role;

use super::server::{Host, TestServer};
use super::wire::PATIENCE;

/// One operator's browser on one server.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) address: SocketAddr,
    /// `NAME=VALUE`, once signed in.
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: Option<String>,
    /// Headers over those that the console's own pages send; an empty one is left out.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What a call was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where there is none, a string where it is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// The code of the error it is.
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }

    /// It was refused with this status and this code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        let message = self.body["error"]["message"].as_str();
        assert!(
            message.is_some_and(|message| !message.is_empty()),
            "{self:?}"
        );
    }

    /// It was done; what it says.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.map_or("", |value| value.expect("text"))
    }
}

/// An answer that goes on, and the connection that it comes over.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) response: Response<Incoming>,
    _connection: JoinSet<()>,
}

impl Browser {
    /// Nobody has signed in yet.
    pub(crate) fn new(host: &impl Host) -> Self {
        Self {
            address: host.address(),
            cookie: None,
            csrf: None,
            headers: Vec::new(),
        }
    }

    /// Signs in; the answer.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "name": name, "password": password });
        let answer = self.call("POST", "/sign-in", Some(body)).await;
        if answer.status == 200 {
            let cookie = answer.header("set-cookie").split(';').next();
            self.cookie = cookie.map(String::from);
            self.csrf = answer.body["csrfToken"].as_str().map(String::from);
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None).await
    }

    /// Calls as the console's own pages do.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        self.call_raw(method, path, body).await
    }

    /// As [`call`](Self::call), with a body that may be no JSON.
    pub(crate) async fn call_raw(
        &self,
        method: &str,
        path: &str,
        body: Option<impl Into<Bytes>>,
    ) -> Answer {
        let streamed = self.open(method, path, body.map(Into::into)).await;
        let Streamed {
            response,
            _connection,
        } = streamed;
        let (head, body) = response.into_parts();
        let body = timeout(PATIENCE, body.collect()).await.expect("in time");
        let body = body.expect("whole").to_bytes();
        let text = String::from_utf8(body.to_vec()).expect("text");
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    /// Calls what answers with a stream.
    pub(crate) async fn stream(&self, path: &str) -> Streamed {
        self.open("GET", path, None).await
    }

    async fn open(&self, method: &str, path: &str, body: Option<Bytes>) -> Streamed {
        let request = self.request(method, path, body);
        let opening = async {
            let socket = TcpStream::connect(self.address).await.expect("connected");
            let (mut sender, connection) = http1::handshake(TokioIo::new(socket))
                .await
                .expect("speaks HTTP");
            let mut driving = JoinSet::new();
            driving.spawn(async { drop(connection.await) });
            let response = sender.send_request(request).await.expect("answered");
            (response, driving)
        };
        let (response, connection) = timeout(PATIENCE, opening).await.expect("answered in time");
        Streamed {
            response,
            _connection: connection,
        }
    }

    fn request(&self, method: &str, path: &str, body: Option<Bytes>) -> Request<Full<Bytes>> {
        let host = self.address.to_string();
        let mut headers = vec![
            ("host", host.clone()),
            ("sec-fetch-site", "same-origin".into()),
        ];
        if method != "GET" {
            headers.push(("origin", format!("http://{host}")));
        }
        if body.is_some() {
            headers.push(("content-type", "application/json".into()));
        }
        headers.extend(self.cookie.clone().map(|cookie| ("cookie", cookie)));
        if let (Some(csrf), true) = (&self.csrf, method != "GET") {
            headers.push(("x-csrf-token", csrf.clone()));
        }
        for (name, value) in &self.headers {
            headers.retain(|(present, _)| present != name);
            headers.push((name, value.clone()));
        }
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/console/api{path}"));
        for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        let body = Full::new(body.unwrap_or_default());
        request.body(body).expect("a request")
    }
}

impl TestServer {
    /// An operator made now, and the password.
    pub(crate) async fn operator(&self, name: &str, role: Role) -> String {
        let name = name.parse().expect("a name");
        let made = self.engine().set_operator("test", name, Some(role)).await;
        made.expect("an operator")
    }

    /// An operator who has signed in.
    pub(crate) async fn signed_in(&self, name: &str, role: Role) -> Browser {
        let password = self.operator(name, role).await;
        let mut browser = Browser::new(self);
        browser.sign_in(name, &password).await.ok();
        browser
    }

    /// An administrator who has signed in.
    pub(crate) async fn console(&self) -> Browser {
        self.signed_in("admin", Role::Administrator).await
    }
}

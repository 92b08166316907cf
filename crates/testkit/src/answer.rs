//! A recorded HTTP answer.

use std::time::Duration;

use offhook_model::Fault;

/// Status, headers and body.
type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// What a web server does when it is asked.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) result: Result<Answer, Fault>,
    pub(crate) after: Duration,
}

impl Reply {
    /// It answers 200 with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// It answers with this status and body.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { result: Ok((status, vec![], body.into())), after: Duration::ZERO }
    }

    /// It fails like this.
    pub fn fault(fault: Fault) -> Self {
        Self { result: Err(fault), after: Duration::ZERO }
    }

    /// The answer has this header as well; the name in lower case.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Ok((_, headers, _)) = &mut self.result {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// It takes so long. Beyond the request's own timeout the asker sees a connect timeout.
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// It never answers.
    pub fn silence() -> Self {
        Self::fault(Fault::ConnectTimeout).after(Duration::MAX)
    }
}

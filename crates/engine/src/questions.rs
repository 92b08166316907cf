//! Questions about certificates: a handshake waits here until the core has the user's word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use offhook_core::Event;
use offhook_model::TrustQuestion;
use offhook_ports::{AskTrust, BoxFuture};
use tokio::sync::{mpsc, oneshot};

/// The questions that wait, by the number under which the core knows them.
#[derive(Clone)]
pub(crate) struct Questions {
    events: mpsc::Sender<Event>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    last: u32,
    answers: HashMap<u32, oneshot::Sender<bool>>,
}

impl Questions {
    pub(crate) fn new(events: mpsc::Sender<Event>) -> Self {
        Self { events, waiting: Arc::default() }
    }

    /// Whoever asked may be gone; that is no error.
    pub(crate) fn answer(&self, id: u32, accept: bool) {
        let asker = self.waiting.lock().ok().and_then(|mut waiting| waiting.answers.remove(&id));
        if let Some(asker) = asker {
            let _ = asker.send(accept);
        }
    }

    /// A number that no other question of this run has, and where its answer comes.
    fn enter(&self) -> Option<(u32, oneshot::Receiver<bool>)> {
        let (asker, answered) = oneshot::channel();
        let mut waiting = self.waiting.lock().ok()?;
        waiting.answers.retain(|_, asker| !asker.is_closed());
        waiting.last = waiting.last.wrapping_add(1);
        let id = waiting.last;
        waiting.answers.insert(id, asker);
        Some((id, answered))
    }
}

impl AskTrust for Questions {
    fn ask(&self, question: TrustQuestion) -> BoxFuture<'static, bool> {
        let this = self.clone();
        Box::pin(async move {
            let Some((id, answered)) = this.enter() else { return false };
            let question = Box::new(TrustQuestion { id, ..question });
            if this.events.send(Event::Trust(question)).await.is_err() {
                return false;
            }
            answered.await.unwrap_or(false)
        })
    }
}

#[cfg(test)]
mod tests {
    use offhook_core::Event;
    use offhook_model::{Endpoint, Link, Service, TlsFault, TrustQuestion};
    use offhook_ports::AskTrust;
    use tokio::sync::mpsc;

    use super::Questions;

    fn question() -> TrustQuestion {
        TrustQuestion {
            id: 0,
            at: Endpoint {
                service: Service::Uds,
                host: "cucm1.example.test".into(),
                port: 8443,
                link: Link::Tls,
            },
            why: TlsFault::SelfSigned,
            words: "It signed itself.".into(),
            wanted: vec![],
            present: vec![],
            subject: "CN=cucm1".into(),
            issuer: "CN=cucm1".into(),
            not_before: "2026-01-01".into(),
            not_after: "2027-01-01".into(),
            fingerprint: "00".into(),
            key: "00".into(),
            remembered: true,
        }
    }

    #[tokio::test]
    async fn each_question_gets_its_own_answer_and_none_means_no() {
        let (events, mut happened) = mpsc::channel(8);
        let questions = Questions::new(events);
        let (first, second) = (questions.ask(question()), questions.ask(question()));
        let both = async { tokio::join!(first, second) };
        let answers = async {
            let mut ids = vec![];
            for _ in 0..2 {
                let Some(Event::Trust(asked)) = happened.recv().await else {
                    unreachable!("a question");
                };
                ids.push(asked.id);
            }
            assert_ne!(ids[0], ids[1]);
            questions.answer(ids[1], false);
            questions.answer(ids[0], true);
            questions.answer(99, true);
        };
        let ((one, other), ()) = tokio::join!(both, answers);
        assert!(one != other, "one was accepted and one was not");
        drop(happened);
        assert!(!questions.ask(question()).await, "nobody is there to ask");
    }

    #[tokio::test]
    async fn whoever_went_away_leaves_nothing_behind() {
        let (events, _happened) = mpsc::channel(8);
        let questions = Questions::new(events);
        for _ in 0..4 {
            let mut asking = questions.ask(question());
            let _ = futures_poll(&mut asking).await;
        }
        let mut last = questions.ask(question());
        let _ = futures_poll(&mut last).await;
        assert_eq!(questions.waiting.lock().map(|it| it.answers.len()).ok(), Some(1));
    }

    /// Polls once.
    async fn futures_poll(future: &mut offhook_ports::BoxFuture<'static, bool>) -> Option<bool> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match future.as_mut().poll(context) {
                std::task::Poll::Ready(answer) => Some(answer),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}

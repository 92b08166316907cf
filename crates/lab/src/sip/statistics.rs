//! What phones tell of a call's sound when it ends: `RTP-RxStat` and `RTP-TxStat` in BYE and its 200
//! (reference page sip-dialect section 6).

use super::message::{Message, uri_of, user_of};
use super::server::Server;
use crate::events::{LabEvent, Statistics};

/// Reads `Dur=10,Pkt=454,Oct=72640,LostPkt=0,AvgJit=0.18`, and whatever follows.
fn read(value: &str) -> Option<Statistics> {
    let part = |name: &str| {
        value.split(',').find_map(|part| {
            let (key, figure) = part.split_once('=')?;
            (key.trim() == name).then(|| figure.trim())
        })
    };
    let count = |name: &str| part(name)?.parse::<u64>().ok();
    Some(Statistics {
        seconds: count("Dur")?,
        packets: count("Pkt")?,
        octets: count("Oct")?,
        lost: count("LostPkt"),
        jitter: part("AvgJit").and_then(|figure| figure.parse().ok()),
    })
}

impl Server {
    /// Tells of the statistics in a BYE of a phone, or in its answer to one of ours.
    pub(super) fn note_statistics(&self, message: &Message, in_answer: bool) {
        let own = if in_answer { "To" } else { "From" };
        let statistics = |name: &str| message.header(name).and_then(read);
        if let (Some(received), Some(sent)) = (statistics("RTP-RxStat"), statistics("RTP-TxStat")) {
            let number = user_of(uri_of(message.header(own).unwrap_or_default()));
            self.lab.events.tell(LabEvent::CallStatistics { number, in_answer, received, sent });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn figures_are_read_and_nonsense_is_not() {
        let told =
            read("Dur=10,Pkt=454,Oct=72640,LostPkt=2,AvgJit=0.18,VqMetrics=\"x=1,y=2\"").unwrap();
        assert_eq!((told.seconds, told.packets, told.octets), (10, 454, 72_640));
        assert_eq!((told.lost, told.jitter), (Some(2), Some(0.18)));
        assert_eq!(read("Dur=10,Pkt=454,Oct=72640").unwrap().lost, None);
        for text in ["", "Dur=10", "Dur=x,Pkt=1,Oct=1", "Dur=-1,Pkt=1,Oct=1", ",,,"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

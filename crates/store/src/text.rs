//! Messages as a person reads them, for exports and text archives.

use chrono::{DateTime, Local};
use offhook_model::{Message, Timestamp};

/// Local time of this machine.
pub fn local(time: Timestamp) -> DateTime<Local> {
    time.to_utc().with_timezone(&Local)
}

/// Who wrote it: the nickname in a room, else the address.
pub fn writer(message: &Message) -> &str {
    message.from.resource().unwrap_or(message.from.bare_str())
}

/// What it says: its text, or what stands in the text's place, and the name of a file.
pub fn said(message: &Message) -> String {
    if let Some(retraction) = &message.more.retracted {
        return match &retraction.reason {
            Some(reason) => format!("[taken back: {reason}]"),
            None => "[taken back]".into(),
        };
    }
    let mut text = message.body.clone();
    if let Some(attachment) = &message.more.attachment {
        text.push_str(&format!(" [file: {}]", attachment.name));
    }
    if message.more.edited {
        text.push_str(" [edited]");
    }
    if let Some(error) = &message.error {
        text.push_str(&format!(" [not sent: {error}]"));
    }
    text
}

/// One entry of a text file. Further lines of a message begin with a tab, so that no message can
/// look like two; characters that steer a terminal are left out.
pub fn line(message: &Message) -> String {
    let time = local(message.time).format("%Y-%m-%d %H:%M:%S");
    let said = harmless(&said(message)).replace('\n', "\n\t");
    format!("{time}  {}: {said}\n", harmless(writer(message)).replace('\n', " "))
}

fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use offhook_model::{Delivery, Jid, Message, MessageId, More, Timestamp};

    #[test]
    fn no_message_can_look_like_two_or_steer_a_terminal() {
        let jid: Jid = "room@conference.example.com/Bob".parse().expect("a JID");
        let message = Message {
            id: MessageId("a".into()),
            with: jid.bare(),
            from: jid.clone(),
            to: jid.bare(),
            body: "one\n2026-01-01 00:00:00  Carol: two\u{1b}[2J\r".into(),
            time: Timestamp(0),
            own: false,
            state: Delivery::Delivered,
            error: None,
            more: More::default(),
        };
        let line = super::line(&message);
        assert!(line.ends_with("  Bob: one\n\t2026-01-01 00:00:00  Carol: two[2J\n"), "{line:?}");
    }
}

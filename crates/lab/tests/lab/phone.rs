//! SIP and RTP by raw bytes: phones that are a socket and a few format strings.

use std::net::SocketAddr;

use offhook_lab::{Lab, LabEvent};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::{PATIENCE, im, lab};

/// A phone over TCP.
pub(crate) struct Phone {
    pub(crate) io: TcpStream,
    buffer: Vec<u8>,
    number: &'static str,
    device: &'static str,
    at: SocketAddr,
}

pub(crate) fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    message.lines().find_map(|line| line.strip_prefix(prefix.as_str())).unwrap_or_default()
}

pub(crate) fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

impl Phone {
    pub(crate) async fn connect(lab: &Lab, number: &'static str, device: &'static str) -> Self {
        let io = TcpStream::connect(lab.info().services.sip_tcp).await.unwrap();
        let at = io.local_addr().unwrap();
        Self { io, buffer: Vec::new(), number, device, at }
    }

    /// Takes the registration over, or gives it up when `expires` is 0.
    pub(crate) async fn register_with(&mut self, call: &str, instance: &str, expires: u32) {
        let (number, at, device) = (self.number, self.at, self.device);
        let head = format!(
            "REGISTER sip:cucm1 SIP/2.0\r\nVia: SIP/2.0/TCP {at};branch=z9hG4bKr{call}{expires}\r\n\
             From: <sip:{number}@cucm1>;tag=r\r\nTo: <sip:{number}@cucm1>\r\n\
             Call-ID: reg-{number}-{call}\r\nCSeq: 102 REGISTER\r\nMax-Forwards: 70\r\n\
             Contact: <sip:line@{at};transport=tcp>;expires={expires};+sip.instance=\
             \"<urn:uuid:{instance}>\";+u.sip!devicename.ccm.cisco.com=\"{device}\"\r\n"
        );
        self.say(&head, "").await;
    }

    /// Connects, registers and answers the state notice that follows.
    pub(crate) async fn registered(lab: &Lab, number: &'static str, device: &'static str) -> Self {
        let mut phone = Self::connect(lab, number, device).await;
        phone.register("1").await;
        let answer = phone.next().await;
        assert_eq!(first_line(&answer), "SIP/2.0 200 OK", "{answer}");
        assert_eq!(header(&answer, "Expires"), "120");
        assert!(answer.contains("<optionsind>"), "{answer}");
        let refer = phone.next().await;
        assert!(refer.starts_with("REFER ") && refer.contains("<mwi>no</mwi>"), "{refer}");
        phone.reply(&refer, "202 Accepted", "").await;
        phone
    }

    async fn say(&mut self, head: &str, body: &str) {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        self.io.write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn register(&mut self, call: &str) {
        self.register_with(call, "00000000-0000-0000-0000-000000000000", 3600).await;
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> String {
        let read = async {
            loop {
                if let Some(head) = self.buffer.windows(4).position(|part| part == b"\r\n\r\n") {
                    let text = String::from_utf8_lossy(&self.buffer[..head]).into_owned();
                    let length: usize = header(&text, "Content-Length").parse().unwrap_or(0);
                    let end = head + 4 + length;
                    if self.buffer.len() >= end {
                        let rest = self.buffer.split_off(end);
                        let message = std::mem::replace(&mut self.buffer, rest);
                        return String::from_utf8(message).unwrap();
                    }
                }
                let mut chunk = [0; 4096];
                let length = self.io.read(&mut chunk).await.unwrap();
                assert!(length > 0, "connection closed");
                self.buffer.extend(&chunk[..length]);
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("a message")
    }

    /// The next message whose first line starts so; provisional answers in between are skipped.
    async fn expect(&mut self, start: &str) -> String {
        loop {
            let message = self.next().await;
            if message.starts_with(start) {
                return message;
            }
            assert!(message.starts_with("SIP/2.0 1"), "wanted {start}, got {message}");
        }
    }

    async fn reply(&mut self, request: &str, status: &str, body: &str) {
        let mut to = header(request, "To").to_owned();
        if !to.contains("tag=") {
            to.push_str(";tag=mine");
        }
        let mut head = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "From"] {
            head.push_str(&format!("{name}: {}\r\n", header(request, name)));
        }
        head.push_str(&format!("To: {to}\r\n"));
        for name in ["Call-ID", "CSeq"] {
            head.push_str(&format!("{name}: {}\r\n", header(request, name)));
        }
        head.push_str(&format!("Contact: <sip:line@{};transport=tcp>\r\n", self.at));
        self.say(&head, body).await;
    }

    /// A request of a call this phone placed; `to_tag` once it is known.
    async fn ask(&mut self, method: &str, number: &str, cseq: u32, to_tag: &str, body: &str) {
        let (at, me) = (self.at, self.number);
        let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        // A CANCEL names the branch of its INVITE.
        let named = if method == "CANCEL" { "INVITE" } else { method };
        let head = format!(
            "{method} sip:{number}@cucm1 SIP/2.0\r\n\
             Via: SIP/2.0/TCP {at};branch=z9hG4bK{named}{cseq}{number}\r\n\
             From: <sip:{me}@cucm1>;tag=a\r\nTo: <sip:{number}@cucm1>{tag}\r\n\
             Call-ID: call-{me}-{number}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n\
             Session-ID: 11112222333344445555666677778888\r\n\
             Contact: <sip:line@{at};transport=tcp>\r\n"
        );
        self.say(&head, body).await;
    }
}

fn tag_of(value: &str) -> &str {
    value.rsplit(";tag=").next().unwrap_or_default()
}

fn sdp(port: u16, more: &str) -> String {
    format!(
        "v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_phones_talk_through_separate_dialogs() {
    let lab = lab(&[]).await;
    let mut alice = Phone::registered(&lab, "2001", "CSFALICE").await;
    let mut carol = Phone::registered(&lab, "2003", "CSFCAROL").await;
    alice.ask("INVITE", "2003", 101, "", &sdp(4000, "")).await;
    let invite = carol.expect("INVITE ").await;
    assert_ne!(header(&invite, "Call-ID"), "call-2001-2003");
    assert!(invite.ends_with(&sdp(4000, "")), "{invite}");
    let shown = header(&invite, "Remote-Party-ID");
    assert!(shown.starts_with("\"Alice Anderson\" <sip:2001@"), "{shown}");
    assert!(shown.contains("party=calling"), "{shown}");
    assert_eq!(header(&invite, "Session-ID"), "11112222333344445555666677778888");
    carol.reply(&invite, "180 Ringing", "").await;
    let ringing = alice.expect("SIP/2.0 180").await;
    let shown = header(&ringing, "Remote-Party-ID");
    assert!(shown.starts_with("\"Carol Clark\" <sip:2003@"), "{shown}");
    carol.reply(&invite, "200 OK", &sdp(5000, "")).await;
    let answer = alice.expect("SIP/2.0 200").await;
    assert!(answer.ends_with(&sdp(5000, "")), "{answer}");
    let tag = tag_of(header(&answer, "To")).to_owned();
    alice.ask("ACK", "2003", 101, &tag, "").await;
    carol.expect("ACK ").await;

    // Hold without an offer: the offer comes in the answer and the answer in the ACK.
    alice.ask("INVITE", "2003", 102, &tag, "").await;
    let hold = carol.expect("INVITE ").await;
    assert_eq!(header(&hold, "Content-Length"), "0");
    carol.reply(&hold, "200 OK", &sdp(5002, "")).await;
    let answer = alice.expect("SIP/2.0 200").await;
    assert!(answer.ends_with(&sdp(5002, "")), "{answer}");
    alice.ask("ACK", "2003", 102, &tag, &sdp(4000, "a=sendonly\r\n")).await;
    let ack = carol.expect("ACK ").await;
    assert!(ack.ends_with("a=sendonly\r\n"), "{ack}");

    alice.ask("UPDATE", "2003", 103, &tag, &sdp(4000, "")).await;
    let update = carol.expect("UPDATE ").await;
    carol.reply(&update, "200 OK", &sdp(5002, "")).await;
    alice.expect("SIP/2.0 200").await;
    alice.ask("INFO", "2003", 104, &tag, "").await;
    let info = carol.expect("INFO ").await;
    carol.reply(&info, "415 Unsupported Media Type", "").await;
    alice.expect("SIP/2.0 415").await;

    alice.ask("BYE", "2003", 105, &tag, "").await;
    alice.expect("SIP/2.0 200").await;
    let bye = carol.expect("BYE ").await;
    carol.reply(&bye, "200 OK", "").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_do_not_come_about_end_as_they_should() {
    let lab = lab(&[]).await;
    let mut alice = Phone::registered(&lab, "2001", "CSFALICE").await;
    for (number, status) in [("4486", "486"), ("9999", "404"), ("2003", "480")] {
        alice.ask("INVITE", number, 101, "", &sdp(4000, "")).await;
        let refusal = alice.expect(&format!("SIP/2.0 {status}")).await;
        alice.ask("ACK", number, 101, tag_of(header(&refusal, "To")), "").await;
    }
    let mut carol = Phone::registered(&lab, "2003", "CSFCAROL").await;
    alice.ask("INVITE", "2003", 201, "", &sdp(4000, "")).await;
    let invite = carol.expect("INVITE ").await;
    carol.reply(&invite, "486 Busy Here", "").await;
    carol.expect("ACK ").await;
    alice.expect("SIP/2.0 486").await;

    alice.ask("INVITE", "2003", 301, "", &sdp(4000, "")).await;
    let invite = carol.expect("INVITE ").await;
    carol.reply(&invite, "180 Ringing", "").await;
    alice.expect("SIP/2.0 180").await;
    alice.ask("CANCEL", "2003", 301, "", "").await;
    let cancel = carol.expect("CANCEL ").await;
    carol.reply(&cancel, "200 OK", "").await;
    carol.reply(&invite, "487 Request Terminated", "").await;
    carol.expect("ACK ").await;
    alice.expect("SIP/2.0 200").await;
    alice.expect("SIP/2.0 487").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_belongs_to_one_client_at_a_time() {
    let lab = lab(&[]).await;
    let first = Phone::registered(&lab, "2001", "CSFALICE").await;
    let mut second = Phone::connect(&lab, "2001", "CSFALICE").await;
    second.register("2").await;
    let refusal = second.expect("SIP/2.0 403").await;
    assert!(header(&refusal, "Warning").contains("active for another client"), "{refusal}");
    let mut events = lab.events();
    drop(first);
    loop {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
        if matches!(event, LabEvent::Unregistered { .. }) {
            break;
        }
    }
    second.register("3").await;
    second.expect("SIP/2.0 200").await;
    second.expect("REFER ").await;
    let mut third = Phone::connect(&lab, "2001", "CSFALICE").await;
    third.register_with("4", "12345678-0000-0000-0000-000000000001", 3600).await;
    let taken = third.expect("SIP/2.0 200").await;
    assert!(header(&taken, "Contact").contains(&third.at.to_string()), "{taken}");
    third.expect("REFER ").await;
    third.register_with("5", "12345678-0000-0000-0000-000000000001", 0).await;
    let gone = third.expect("SIP/2.0 200").await;
    assert_eq!(header(&gone, "Contact"), "");
    let mut stranger = Phone::connect(&lab, "7777", "CSFNOBODY").await;
    stranger.register("1").await;
    stranger.expect("SIP/2.0 404").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standard_phone_is_challenged_over_udp() {
    let lab = lab(&[]).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    let register = format!(
        "REGISTER sip:open.lab.example SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK1;rport\r\n\
         From: <sip:alice@open.lab.example>;tag=x\r\nTo: <sip:alice@open.lab.example>\r\n\
         Call-ID: u\r\nCSeq: 1 REGISTER\r\nContact: <sip:alice@{at}>\r\nContent-Length: 0\r\n\r\n"
    );
    let mut answers = Vec::new();
    for _ in 0..2 {
        socket.send_to(register.as_bytes(), lab.info().services.sip_udp).await.unwrap();
        let mut buffer = vec![0; 4096];
        let length = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer)).await.unwrap();
        answers.push(String::from_utf8(buffer[..length.unwrap()].to_vec()).unwrap());
    }
    assert_eq!(first_line(&answers[0]), "SIP/2.0 401 Unauthorized");
    assert!(header(&answers[0], "WWW-Authenticate").contains("realm=\"ccmsipline\""));
    assert!(header(&answers[0], "Via").contains(&format!("rport={}", at.port())));
    assert_eq!(answers[0], answers[1], "a repeated request gets the same answer");
    lab.stop().await;
}

/// Waits for the end of a robot's call and returns what it reports.
async fn robot_call_end(events: &mut tokio::sync::broadcast::Receiver<LabEvent>) -> LabEvent {
    loop {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
        if matches!(event, LabEvent::RobotCallEnded { .. }) {
            return event;
        }
    }
}

/// 20 ms of a 500 Hz square wave in A-law, as a packet.
fn square(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend([0, 0, 0, 9]);
    packet.extend((0..160).map(|at| if at / 8 % 2 == 0 { 0xa5u8 } else { 0x25 }));
    packet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_robot_answers_plays_its_tone_and_reports_what_it_heard() {
    let lab = lab(&[]).await;
    let mut events = lab.events();
    let mut alice = Phone::registered(&lab, "2001", "CSFALICE").await;
    let media = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let offer = sdp(media.local_addr().unwrap().port(), "")
        // Only A-law, so that the bytes on the wire are known.
        .replace("RTP/AVP 8 0 101", "RTP/AVP 8 101");
    alice.ask("INVITE", "2002", 101, "", &offer).await;
    alice.expect("SIP/2.0 180").await;
    let answer = alice.expect("SIP/2.0 200").await;
    let tag = tag_of(header(&answer, "To")).to_owned();
    alice.ask("ACK", "2002", 101, &tag, "").await;
    let port: u16 = answer
        .lines()
        .find_map(|line| line.strip_prefix("m=audio "))
        .and_then(|line| line.split(' ').next())
        .and_then(|port| port.parse().ok())
        .unwrap();
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    let mut heard = 0;
    let mut loud = 0;
    for sequence in 0..60 {
        media.send_to(&square(sequence), to).await.unwrap();
        let mut buffer = [0; 512];
        let length =
            tokio::time::timeout(PATIENCE, media.recv(&mut buffer)).await.unwrap().unwrap();
        heard += 1;
        assert_eq!((length, buffer[0], buffer[1] & 0x7f), (172, 0x80, 8));
        // The tone swings: A-law octets of both signs, none of them near silence only.
        let (up, down) = buffer[12..length].iter().partition::<Vec<u8>, _>(|octet| **octet >= 0x80);
        loud += usize::from(up.len() > 40 && down.len() > 40);
    }
    for packet in 0..5u16 {
        let mut event = vec![0x80, 101, 0, 60 + packet as u8, 0, 0, 99, 0, 0, 0, 0, 9];
        event.extend([7, if packet == 4 { 0x8a } else { 0x0a }, 0, 160]);
        media.send_to(&event, to).await.unwrap();
    }
    // The robot sends the key back: once its end has come, everything before was heard.
    let mut buffer = [0; 512];
    while buffer[1] & 0x7f != 101 || buffer[13] & 0x80 == 0 {
        tokio::time::timeout(PATIENCE, media.recv(&mut buffer)).await.unwrap().unwrap();
    }
    alice.ask("BYE", "2002", 102, &tag, "").await;
    alice.expect("SIP/2.0 200").await;
    assert!(loud > heard / 2, "{loud} of {heard}");
    let LabEvent::RobotCallEnded {
        cause, recording, packets_received, tone_hz, digits, lost, ..
    } = robot_call_end(&mut events).await
    else {
        unreachable!()
    };
    assert_eq!((cause, packets_received, lost, digits.as_str()), ("remoteHungUp", 65, 0, "7"));
    assert!((tone_hz.unwrap() - 500.0).abs() < 1.0, "{tone_hz:?}");
    let file = std::fs::read(recording.unwrap()).unwrap();
    assert_eq!(file.len(), 44 + 60 * 320);
    assert_eq!(u32::from_le_bytes(file[40..44].try_into().unwrap()), 60 * 320);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_by_chat_the_robot_calls_back_with_the_number_it_was_told() {
    let lab = lab(&[]).await;
    let mut phone = Phone::registered(&lab, "2001", "CSFALICE").await;
    let mut chat = im::signed_in(&lab, "alice").await;
    chat.say(
        "<presence/><message to='bob@lab.example' type='chat'><body>call me from 5551234</body>\
         </message>",
    )
    .await;
    let invite = phone.expect("INVITE ").await;
    let shown = header(&invite, "Remote-Party-ID");
    assert!(shown.starts_with("<sip:5551234@"), "{shown}");
    chat.until("Calling 2001 now.").await;
    phone.reply(&invite, "180 Ringing", "").await;
    let media = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let answer = sdp(media.local_addr().unwrap().port(), "").replace("AVP 8 0 101", "AVP 0 101");
    phone.reply(&invite, "200 OK", &answer).await;
    phone.expect("ACK ").await;
    let mut buffer = [0; 512];
    tokio::time::timeout(PATIENCE, media.recv(&mut buffer)).await.unwrap().unwrap();
    // Stopping the laboratory hangs up first.
    let mut events = lab.events();
    let stop = tokio::spawn(lab.stop());
    let bye = phone.expect("BYE ").await;
    phone.reply(&bye, "200 OK", "").await;
    stop.await.unwrap();
    let LabEvent::RobotCallEnded { cause, .. } = robot_call_end(&mut events).await else {
        unreachable!()
    };
    assert_eq!(cause, "stopped");
}

//! SIPp: a caller and a callee that say exactly what a test wants said.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::running::Running;
use crate::{free_port, program};

/// A scenario in SIPp's own language, built step by step. It plays `user` at `domain`.
#[derive(Clone, Debug)]
pub struct Scenario {
    user: String,
    domain: String,
    steps: String,
    cseq: u32,
    calls: bool,
}

impl Scenario {
    /// Nothing yet.
    pub fn new(user: &str, domain: &str) -> Self {
        Self {
            user: user.to_owned(),
            domain: domain.to_owned(),
            steps: String::new(),
            cseq: 0,
            calls: false,
        }
    }

    /// Registers at the server, to be called on `port`.
    pub fn register(mut self, port: u16) -> Self {
        let (user, domain) = (self.user.clone(), self.domain.clone());
        for with in ["", "[authentication]\n"] {
            self.cseq += 1;
            let _ = write!(
                self.steps,
                "<send retrans=\"500\"><![CDATA[\nREGISTER sip:{domain} SIP/2.0\n{VIA}\
                 Max-Forwards: 70\nFrom: <sip:{user}@{domain}>;tag=[pid]r[call_number]\n\
                 To: <sip:{user}@{domain}>\nCall-ID: [call_id]\nCSeq: {} REGISTER\n\
                 Contact: <sip:{user}@127.0.0.1:{port}>\n{with}Expires: 600\n\
                 Content-Length: 0\n\n]]></send>\n",
                self.cseq
            );
            self.steps.push_str(match with {
                "" => "<recv response=\"401\" auth=\"true\"></recv>\n",
                _ => "<recv response=\"200\"></recv>\n",
            });
        }
        self
    }

    /// Calls `who` with these further headers and waits for the answer.
    pub fn call(mut self, who: &str, more: &str, sdp: &str) -> Self {
        self.calls = true;
        let (user, domain) = (self.user.clone(), self.domain.clone());
        let from = format!("From: <sip:{user}@{domain}>;tag=[pid]t[call_number]\n");
        let invite = |cseq: u32, with: &str| {
            format!(
                "<send retrans=\"500\"><![CDATA[\nINVITE sip:{who}@{domain} SIP/2.0\n{VIA}\
                 Max-Forwards: 70\n{from}To: <sip:{who}@{domain}>\nCall-ID: [call_id]\n\
                 CSeq: {cseq} INVITE\n{with}{more}Contact: <sip:{user}@[local_ip]:[local_port]>\n\
                 Allow: INVITE, ACK, BYE, CANCEL, UPDATE, NOTIFY, REFER\n\
                 Content-Type: application/sdp\nContent-Length: [len]\n\n{sdp}]]></send>\n\
                 <recv response=\"100\" optional=\"true\"></recv>\n"
            )
        };
        let _ = write!(
            self.steps,
            "{}<recv response=\"407\" auth=\"true\"></recv>\n<send><![CDATA[\n\
             ACK sip:{who}@{domain} SIP/2.0\n{VIA}Max-Forwards: 70\n{from}\
             To: <sip:{who}@{domain}>[peer_tag_param]\nCall-ID: [call_id]\nCSeq: 1 ACK\n\
             Content-Length: 0\n\n]]></send>\n{}<recv response=\"180\" optional=\"true\"></recv>\n\
             <recv response=\"200\" rrs=\"true\"></recv>\n",
            invite(1, ""),
            invite(2, "[authentication]\n")
        );
        self.cseq = 2;
        self.in_call(who, "ACK", "", "")
    }

    /// Subscribes to an event of `who` and waits until that is granted.
    pub fn subscribe(mut self, who: &str, event: &str) -> Self {
        let (user, domain) = (self.user.clone(), self.domain.clone());
        for with in ["", "[authentication]\n"] {
            self.cseq += 1;
            let _ = write!(
                self.steps,
                "<send retrans=\"500\"><![CDATA[\nSUBSCRIBE sip:{who}@{domain} SIP/2.0\n{VIA}\
                 Max-Forwards: 70\nFrom: <sip:{user}@{domain}>;tag=[pid]s[call_number]\n\
                 To: <sip:{who}@{domain}>\nCall-ID: [call_id]\nCSeq: {} SUBSCRIBE\n{with}\
                 Contact: <sip:{user}@[local_ip]:[local_port]>\nEvent: {event}\n\
                 Expires: 600\nContent-Length: 0\n\n]]></send>\n",
                self.cseq
            );
            self.steps.push_str(match with {
                "" => "<recv response=\"407\" auth=\"true\"></recv>\n",
                _ => "<recv response=\"200\"></recv>\n",
            });
        }
        // What it is told comes within the dialog, whose To has our tag already.
        self.calls = true;
        self
    }

    /// Sends a request in the call that it made.
    pub fn in_call(mut self, who: &str, method: &str, more: &str, sdp: &str) -> Self {
        let (user, domain) = (self.user.clone(), self.domain.clone());
        let ack = method == "ACK";
        self.cseq += u32::from(!ack);
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let again = if ack { "" } else { " retrans=\"500\"" };
        let _ = write!(
            self.steps,
            "<send{again}><![CDATA[\n{method} [next_url] SIP/2.0\n{VIA}[routes]\nMax-Forwards: 70\n\
             From: <sip:{user}@{domain}>;tag=[pid]t[call_number]\n\
             To: <sip:{who}@{domain}>[peer_tag_param]\nCall-ID: [call_id]\n\
             CSeq: {} {method}\nContact: <sip:{user}@[local_ip]:[local_port]>\n{more}{kind}\
             Content-Length: [len]\n\n{sdp}]]></send>\n",
            self.cseq
        );
        self
    }

    /// Waits for a response.
    pub fn answered(mut self, status: u16) -> Self {
        let _ = write!(
            self.steps,
            "<recv response=\"100\" optional=\"true\"></recv>\n<recv response=\"{status}\"></recv>\n"
        );
        self
    }

    /// Waits for a request.
    pub fn asked(mut self, method: &str) -> Self {
        let _ = writeln!(self.steps, "<recv request=\"{method}\" rrs=\"true\"></recv>");
        self
    }

    /// Answers the request that came last; `more` are further headers.
    pub fn answer(mut self, status: &str, more: &str, sdp: &str) -> Self {
        let user = self.user.clone();
        // In the call the other side's To has our tag already, and SIPp repeats it.
        let tag = if self.calls { "" } else { ";tag=[pid]t[call_number]" };
        self.calls |= status.starts_with("200");
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let _ = write!(
            self.steps,
            "<send><![CDATA[\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]{tag}\n\
             [last_Call-ID:]\n[last_CSeq:]\n[last_Record-Route:]\n\
             Contact: <sip:{user}@[local_ip]:[local_port]>\n\
             Allow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO, NOTIFY, REFER\n{more}{kind}\
             Content-Length: [len]\n\n{sdp}]]></send>\n"
        );
        self
    }

    /// Does nothing for so many milliseconds.
    pub fn pause(mut self, milliseconds: u32) -> Self {
        let _ = writeln!(self.steps, "<pause milliseconds=\"{milliseconds}\"/>");
        self
    }

    /// Plays it once, on this port, with the server on that one.
    ///
    /// # Panics
    /// SIPp does not start.
    pub fn play(
        &self,
        folder: &Path,
        name: &str,
        (port, server): (u16, u16),
        password: &str,
    ) -> Sipp {
        let folder = folder.join(format!("sipp-{name}"));
        std::fs::create_dir_all(&folder).expect("a folder for SIPp");
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"{name}\">\n{}</scenario>\n",
            self.steps
        );
        std::fs::write(folder.join("scenario.xml"), text).expect("a scenario");
        let mut command = Command::new(program("sipp").expect("sipp"));
        command.arg(format!("127.0.0.1:{server}")).current_dir(&folder);
        command.args(["-sf", "scenario.xml", "-t", "u1", "-i", "127.0.0.1", "-mi", "127.0.0.1"]);
        command.args(["-p", &port.to_string(), "-mp", &free_port().to_string()]);
        command.args(["-au", &self.user, "-ap", password, "-m", "1", "-nostdin"]);
        command.args(["-trace_err", "-trace_msg", "-message_file", "messages", "-timeout", "120"]);
        let running = Running::start(&format!("sipp-{name}"), &mut command, &folder);
        Sipp { running, folder }
    }
}

const VIA: &str = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n";

/// A description of one stream of audio with these formats, and further lines.
pub fn description(formats: &str, more: &str) -> String {
    format!(
        "v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n\
         m=audio [media_port] RTP/AVP {formats}\n{more}"
    )
}

/// A scenario that is being played.
pub struct Sipp {
    running: Running,
    folder: PathBuf,
}

impl Sipp {
    /// Waits until it was played to its end.
    ///
    /// # Panics
    /// Something else came than it wants.
    #[track_caller]
    pub fn until_played(mut self) {
        match self.running.wait(150) {
            Some(status) if status.success() => {}
            status => {
                let said = self.messages();
                let from = said.len().saturating_sub(3_000);
                panic!("SIPp: {status:?}\n{}", said.get(from..).unwrap_or(""));
            }
        }
    }

    /// Everything that it sent and got so far.
    pub fn messages(&self) -> String {
        let bytes = std::fs::read(self.folder.join("messages")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

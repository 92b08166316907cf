//! Offers and answers against descriptions as other programs write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use offhook_model::{AudioCodec, OpusWish, Secret};
use offhook_ports::{CodecPlan, MediaPlan};
use offhook_rtp::sdp::{Description, Encryption, LocalMedia, Negotiator, SdpError};

const CUCM: &str = include_str!("fixtures/cucm-jabber-offer.sdp");
const CUCM_HOLD: &str = include_str!("fixtures/cucm-hold.sdp");
/// Encrypted by DTLS, without keys in the description (RFC 5763).
const DTLS: &str = "v=0\r\nc=IN IP4 192.0.2.10\r\nm=audio 20000 UDP/TLS/RTP/SAVPF 0\r\n\
                    a=fingerprint:sha-256 00:11\r\na=setup:actpass\r\n";
const BARESIP: &str = include_str!("fixtures/baresip-offer.sdp");
const LINPHONE: &str = include_str!("fixtures/linphone-offer.sdp");
const IPV6: &str = include_str!("fixtures/asterisk-ipv6.sdp");
const TERSE: &str = include_str!("fixtures/terse.sdp");
const ODD: &str = include_str!("fixtures/odd.sdp");

/// What these descriptions are read with, unless a test says otherwise.
const CODECS: [AudioCodec; 4] =
    [AudioCodec::Opus, AudioCodec::G722, AudioCodec::Pcmu, AudioCodec::Pcma];

fn local() -> LocalMedia {
    LocalMedia {
        address: Ipv4Addr::LOCALHOST.into(),
        rtp_port: 16_384,
        rtcp_port: 16_385,
        codecs: CODECS.to_vec(),
        quiet: false,
        packet_time: Duration::from_millis(20),
        redundancy: false,
        dscp: 46,
        cname: "name".to_owned(),
        hold: false,
        encryption: Encryption::Accepted,
        secret: Secret::new([7; 32]),
        ice: None,
    }
}

fn negotiator() -> Negotiator {
    Negotiator::new(77, local())
}

fn check(offer: &str, local: LocalMedia) -> (String, MediaPlan) {
    let (answer, plan) = Negotiator::new(77, local).answer(offer).expect("an answer");
    assert!(answer.starts_with("v=0\r\no=- 77 1 IN IP"), "{answer}");
    assert!(answer.lines().all(|line| line.as_bytes().get(1) == Some(&b'=')), "{answer}");
    assert_eq!(answer.matches('\n').count(), answer.matches("\r\n").count());
    let theirs = Description::parse(offer).expect("their offer");
    let ours = Description::parse(&answer).expect("our own answer");
    assert_eq!(ours.oddities, Vec::<String>::new());
    assert_eq!(ours.media.len(), theirs.media.len(), "every stream has its answer");
    for (mine, theirs) in ours.media.iter().zip(&theirs.media) {
        assert_eq!(mine.kind, theirs.kind);
        assert!(mine.protocol == theirs.protocol || theirs.protocol.is_empty());
        assert!(mine.port == 0 || mine.formats.iter().all(|f| theirs.formats.contains(f)));
    }
    (answer, plan)
}

fn plan_of(codec: AudioCodec, payload_type: u8) -> CodecPlan {
    CodecPlan { codec, payload_type }
}

#[test]
fn a_call_manager_offer_is_answered_with_its_own_numbers() {
    let (answer, plan) = check(CUCM, local());
    assert!(answer.contains("m=audio 16384 RTP/AVP 114 9 0 8 101\r\n"), "{answer}");
    assert!(answer.contains("a=rtpmap:114 opus/48000/2\r\n"));
    assert!(answer.contains("m=video 0 RTP/AVP 97 126\r\n"), "{answer}");
    assert!(answer.contains("m=application 0 UDP/BFCP *\r\n"), "{answer}");
    assert_eq!(plan.send, plan_of(AudioCodec::Opus, 114));
    assert_eq!(plan.remote, "192.0.2.10:24570".parse().expect("an address"));
    assert_eq!(plan.remote_rtcp, Some("192.0.2.10:24571".parse().expect("an address")));
    // Events come on the 8 kHz clock only.
    assert_eq!((plan.dtmf, plan.dtmf_receive), (Some(101), vec![101]));
    assert_eq!(plan.receive.len(), 4);
    assert!(plan.sending && plan.receiving);
    assert_eq!((plan.dscp, plan.cname.as_str()), (46, "name"));
}

#[test]
fn the_codecs_of_a_desktop_client_are_told_apart() {
    let codecs = AudioCodec::ALL.to_vec();
    let (answer, plan) = check(CUCM, LocalMedia { codecs, ..local() });
    assert!(answer.contains("m=audio 16384 RTP/AVP 114 9 104 105 0 8 18 101\r\n"), "{answer}");
    for line in [
        "a=rtpmap:104 G7221/16000\r\na=fmtp:104 bitrate=32000\r\n",
        "a=rtpmap:105 G7221/16000\r\na=fmtp:105 bitrate=24000\r\n",
        "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n",
    ] {
        assert!(answer.contains(line), "{line} in {answer}");
    }
    assert!(plan.receive.contains(&plan_of(AudioCodec::G7221At32, 104)));
    assert!(plan.receive.contains(&plan_of(AudioCodec::G7221At24, 105)));
    assert!(plan.receive.contains(&plan_of(AudioCodec::G729, 18)));
    // Our own offer names them in the same way and with the same numbers.
    let codecs = AudioCodec::ALL.to_vec();
    let offer = Negotiator::new(77, LocalMedia { codecs, ..local() }).offer();
    assert!(offer.contains("RTP/AVP 114 9 104 105 0 8 18 101 102\r\n"), "{offer}");
}

/// What is agreed about silence: their offer, whether we want it, what we say of Annex B, and the
/// payload types of the plan.
#[test]
fn silence_is_left_out_only_where_both_want_it() {
    let head = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP";
    let g729 = |rest: &str| format!("{head} 18\r\n{rest}");
    for (offer, quiet, said, noise, noise_receive) in [
        // Not to say anything about Annex B is to take it (RFC 4856 section 2.1.9).
        (g729(""), true, "annexb=yes", Some(18), None),
        (g729("a=fmtp:18 annexb=yes\r\n"), true, "annexb=yes", Some(18), None),
        (g729("a=fmtp:18 AnnexB = No\r\n"), true, "annexb=no", None, None),
        (g729(""), false, "annexb=no", None, None),
        (format!("{head} 8 13\r\n"), true, "CN/8000", Some(13), Some(13)),
        (format!("{head} 8 13\r\n"), false, "CN/8000", None, Some(13)),
        (format!("{head} 8 98\r\na=rtpmap:98 CN/8000\r\n"), true, "98 CN/8000", Some(98), Some(98)),
        (format!("{head} 8\r\n"), true, "PCMA", None, None),
    ] {
        let codecs = AudioCodec::ALL.to_vec();
        let (answer, plan) = check(&offer, LocalMedia { codecs, quiet, ..local() });
        assert!(answer.contains(said), "{answer}");
        assert_eq!((plan.noise, plan.noise_receive), (noise, noise_receive), "{offer}");
    }
    // The other way round: our offer names comfort noise only if we would use it.
    for quiet in [false, true] {
        let codecs = vec![AudioCodec::Pcmu, AudioCodec::G729];
        let mut caller = Negotiator::new(77, LocalMedia { codecs, quiet, ..local() });
        let offer = caller.offer();
        assert_eq!(offer.contains("CN/8000"), quiet, "{offer}");
        assert_eq!(offer.contains("annexb=yes"), quiet, "{offer}");
        let plan = caller.accept_answer(&format!("{head} 0 13\r\n")).expect("a plan");
        assert_eq!(plan.noise, quiet.then_some(13));
        let plan = caller.accept_answer(&g729("")).expect("a plan");
        assert_eq!(plan.noise, quiet.then_some(18));
        let plan = caller.accept_answer(&g729("a=fmtp:18 annexb=no\r\n")).expect("a plan");
        assert_eq!(plan.noise, None);
    }
}

/// RFC 7587 section 6.1: what is said, what is not, and what makes no sense.
#[test]
fn what_they_want_of_opus_is_in_the_plan() {
    let usual = OpusWish::default();
    for (parameters, wish) in [
        ("", usual),
        ("useinbandfec=1", OpusWish { in_band_fec: true, ..usual }),
        ("UseInbandFEC = 1 ; usedtx=1", OpusWish { in_band_fec: true, dtx: true, ..usual }),
        ("useinbandfec=0; cbr=1", OpusWish { constant: true, ..usual }),
        ("maxplaybackrate=16000; sprop-stereo=1", OpusWish { max_playback_rate: 16_000, ..usual }),
        ("maxplaybackrate=44100;stereo=0", OpusWish { max_playback_rate: 44_100, ..usual }),
        ("maxplaybackrate=1", OpusWish { max_playback_rate: 8_000, ..usual }),
        ("maxplaybackrate=99999999999", usual),
        ("maxaveragebitrate=20000", OpusWish { max_average_bit_rate: Some(20_000), ..usual }),
        ("maxaveragebitrate=1", OpusWish { max_average_bit_rate: Some(6_000), ..usual }),
        ("maxaveragebitrate=-1;usedtx;useinbandfec=yes", usual),
    ] {
        for quiet in [false, true] {
            let offer = format!(
                "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0 109\r\n\
                 a=rtpmap:109 opus/48000/2\r\na=fmtp:109 {parameters}\r\n"
            );
            let codecs = vec![AudioCodec::Opus];
            let (answer, plan) = check(&offer, LocalMedia { codecs, quiet, ..local() });
            assert_eq!(plan.opus, wish, "{parameters}");
            assert_eq!(answer.contains("usedtx=1"), quiet, "{answer}");
            // Silence is left out where both want it.
            assert_eq!(plan.noise, (quiet && wish.dtx).then_some(109), "{parameters}");
        }
    }
}

#[test]
fn our_preference_decides_in_an_answer() {
    let codecs = vec![AudioCodec::Pcma, AudioCodec::G722];
    let (answer, plan) = check(CUCM, LocalMedia { codecs, ..local() });
    assert!(answer.contains("m=audio 16384 RTP/AVP 8 9 101\r\n"), "{answer}");
    assert_eq!(plan.send, plan_of(AudioCodec::Pcma, 8));
    assert_eq!(plan.dtmf, Some(101));
}

#[test]
fn a_baresip_offer_is_answered() {
    let (answer, plan) = check(BARESIP, local());
    assert!(answer.contains("m=audio 16384 RTP/AVP 96 9 0 8 101\r\n"), "{answer}");
    assert!(!answer.contains("rtcp-mux"), "{answer}");
    assert_eq!(plan.send, plan_of(AudioCodec::Opus, 96));
    assert_eq!(plan.packet_time, Duration::from_millis(20));
}

#[test]
fn a_linphone_offer_shares_the_port_and_has_events_on_both_clocks() {
    let (answer, plan) = check(LINPHONE, local());
    assert!(answer.contains("m=audio 16384 RTP/AVPF 96 0 8 100 101\r\n"), "{answer}");
    assert!(answer.contains("a=rtcp-mux\r\n"), "{answer}");
    assert_eq!(plan.remote_rtcp, None);
    assert_eq!(plan.send, plan_of(AudioCodec::Opus, 96));
    assert_eq!((plan.dtmf, plan.dtmf_receive), (Some(101), vec![100, 101]));
    let codecs = vec![AudioCodec::Pcmu];
    let (_, plan) = check(LINPHONE, LocalMedia { codecs, ..local() });
    assert_eq!((plan.dtmf, plan.dtmf_receive), (Some(100), vec![100, 101]));
}

#[test]
fn ipv6_and_packet_times_are_respected() {
    let address = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let (answer, plan) = check(IPV6, LocalMedia { address, ..local() });
    assert!(answer.contains("c=IN IP6 ::1\r\n"), "{answer}");
    assert_eq!(plan.remote, "[2001:db8::5]:11234".parse().expect("an address"));
    assert_eq!(plan.packet_time, Duration::from_millis(30));
    assert_eq!(plan.send, plan_of(AudioCodec::Pcmu, 0));
    assert_eq!(negotiator().answer(IPV6), Err(SdpError::Address));
}

#[test]
fn packet_times_that_a_codec_cannot_make_are_rounded_down() {
    for (asked, codec, given) in [
        ("ptime:30", "opus/48000/2", 20),
        ("ptime:50", "opus/48000/2", 40),
        ("ptime:50", "PCMA/8000", 50),
        ("ptime:35", "PCMA/8000", 30),
        ("ptime:5", "PCMA/8000", 10),
        ("ptime:200", "PCMA/8000", 60),
        ("maxptime:10", "PCMA/8000", 10),
        ("ptime:30", "G729/8000", 30),
        ("ptime:30", "G7221/16000", 20),
        ("ptime:10", "G7221/16000", 20),
        ("ptime:x", "PCMA/8000", 20),
    ] {
        let offer = format!(
            "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 {codec}\r\na={asked}\r\na=fmtp:96 bitrate=24000\r\n"
        );
        let codecs = AudioCodec::ALL.to_vec();
        let (_, plan) = check(&offer, LocalMedia { codecs, ..local() });
        assert_eq!(plan.packet_time, Duration::from_millis(given), "{asked} {codec}");
    }
}

#[test]
fn a_terse_description_is_enough() {
    let (_, plan) = check(TERSE, local());
    assert_eq!(plan.send, plan_of(AudioCodec::Pcmu, 0));
    assert_eq!(plan.receive, [plan_of(AudioCodec::Pcmu, 0), plan_of(AudioCodec::Pcma, 8)]);
    assert_eq!((plan.dtmf, plan.dtmf_receive), (None, vec![]));
}

#[test]
fn odd_lines_are_passed_over_and_named() {
    let description = Description::parse(ODD).expect("a description");
    assert_eq!(description.oddities.len(), 3, "{:?}", description.oddities);
    let (answer, plan) = check(ODD, local());
    assert!(answer.contains("m=image 0"), "{answer}");
    assert_eq!(plan.remote, "127.0.0.2:4000".parse().expect("an address"));
    assert!(!plan.sending && plan.receiving);
}

#[test]
fn descriptions_that_cannot_be_used_are_refused_by_reason() {
    let large = format!("v=0\r\n{}", "a=x\r\n".repeat(20_000));
    for (offer, error) in [
        ("", SdpError::NotSdp),
        ("hello\r\nworld", SdpError::NotSdp),
        ("v=0\r\n", SdpError::NoAudio),
        ("v=0\r\nm=video 9 RTP/AVP 97\r\n", SdpError::NoAudio),
        (DTLS, SdpError::SecureOnly),
        ("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 0\r\n", SdpError::Rejected),
        ("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 5000 RTP/AVP 18\r\n", SdpError::NothingInCommon),
        ("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 5000 TCP/X 0\r\n", SdpError::NothingInCommon),
        ("v=0\r\nc=IN IP4 name.example\r\nm=audio 5000 RTP/AVP 0\r\n", SdpError::Address),
        ("v=0\r\nm=audio 5000 RTP/AVP 0\r\n", SdpError::Address),
        (large.as_str(), SdpError::TooLarge),
    ] {
        assert_eq!(negotiator().answer(offer), Err(error), "{offer:.80}");
    }
}

#[test]
fn the_second_audio_stream_is_taken_when_the_first_is_encrypted() {
    let offer =
        "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 5000 RTP/SAVP 0\r\nm=audio 5002 RTP/AVP 0\r\n";
    let (answer, plan) = check(offer, local());
    assert!(answer.contains("m=audio 0 RTP/SAVP 0\r\nm=audio 16384 RTP/AVP 0\r\n"), "{answer}");
    assert_eq!(plan.remote.port(), 5_002);
}

fn answer_to(offer: &str, formats: &str, attributes: &str) -> String {
    assert!(offer.contains("m=audio 16384 RTP/AVP"), "{offer}");
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n\
         m=audio 7000 RTP/AVP {formats}\r\n{attributes}"
    )
}

#[test]
fn an_offer_names_all_we_can_and_its_answer_decides() {
    let mut ours = negotiator();
    let offer = ours.offer();
    assert!(offer.contains("m=audio 16384 RTP/AVP 114 9 0 8 101 102\r\n"), "{offer}");
    assert!(offer.contains("a=fmtp:114 minptime=10;useinbandfec=1\r\n"), "{offer}");
    assert!(offer.contains("a=ptime:20\r\n") && offer.contains("a=sendrecv\r\n"), "{offer}");
    let answer = answer_to(&offer, "8 9 101", "a=rtpmap:101 telephone-event/8000\r\n");
    let plan = ours.accept_answer(&answer).expect("a plan");
    assert_eq!(plan.send, plan_of(AudioCodec::Pcma, 8));
    assert_eq!(plan.dtmf, Some(101));
    // All that was offered may come.
    assert_eq!(plan.receive.len(), 4);
    assert_eq!(plan.receive[0], plan_of(AudioCodec::Opus, 114));
    // The answer of a 183 comes again in the 200.
    assert_eq!(ours.accept_answer(&answer), Ok(plan));
}

#[test]
fn the_answerer_may_choose_other_numbers() {
    let mut ours = negotiator();
    let offer = ours.offer();
    let answer = answer_to(
        &offer,
        "100 99",
        "a=rtpmap:100 opus/48000/2\r\na=rtpmap:99 telephone-event/48000\r\na=rtcp-mux\r\n",
    );
    let plan = ours.accept_answer(&answer).expect("a plan");
    assert_eq!(plan.send, plan_of(AudioCodec::Opus, 100));
    assert_eq!((plan.dtmf, plan.dtmf_receive), (Some(99), vec![101, 102]));
    assert_eq!(plan.receive[0], plan_of(AudioCodec::Opus, 114));
    assert_eq!(plan.remote_rtcp, None);
}

#[test]
fn unusable_answers_are_refused_by_reason() {
    let mut ours = negotiator();
    assert_eq!(ours.accept_answer(TERSE), Err(SdpError::NothingOffered));
    let offer = ours.offer();
    let answer = answer_to(&offer, "18", "");
    assert_eq!(ours.accept_answer(&answer), Err(SdpError::NothingInCommon));
    let rejected = answer_to(&offer, "0", "").replace("7000", "0");
    assert_eq!(ours.accept_answer(&rejected), Err(SdpError::Rejected));
}

#[test]
fn the_version_counts_up_only_when_something_changed() {
    let version = |sdp: &str| {
        let origin = Description::parse(sdp).expect("a description").origin;
        origin.split(' ').nth(2).and_then(|word| word.parse::<u64>().ok()).expect("a version")
    };
    let mut ours = negotiator();
    let first = version(&ours.offer());
    assert_eq!(version(&ours.offer()), first);
    ours.set_hold(true);
    assert_eq!(version(&ours.offer()), first + 1);
    ours.set_hold(false);
    assert_eq!(version(&ours.offer()), first + 2);
}

#[test]
fn holding_and_being_held() {
    let mut ours = negotiator();
    let (_, plan) = ours.answer(BARESIP).expect("an answer");
    assert!(plan.sending && plan.receiving && !ours.remote_holds());

    // We hold.
    ours.set_hold(true);
    let offer = ours.offer();
    assert!(offer.contains("a=sendonly\r\n"), "{offer}");
    // The number they chose for Opus stays.
    assert!(offer.contains("RTP/AVP 96 9 0 8 101 102\r\n"), "{offer}");
    let answer = answer_to(&offer, "9", "a=recvonly\r\n");
    let plan = ours.accept_answer(&answer).expect("a plan");
    assert!(!plan.sending && !plan.receiving && !ours.remote_holds());

    // They hold as well.
    let held = BARESIP.replace("a=sendrecv", "a=sendonly");
    let (answer, plan) = ours.answer(&held).expect("an answer");
    assert!(answer.contains("a=inactive\r\n"), "{answer}");
    assert!(!plan.sending && !plan.receiving && ours.remote_holds());

    // We let go, they still play music.
    ours.set_hold(false);
    let (answer, plan) = ours.answer(&held).expect("an answer");
    assert!(answer.contains("a=recvonly\r\n"), "{answer}");
    assert!(!plan.sending && plan.receiving && ours.remote_holds());

    // They let go.
    let (answer, plan) = ours.answer(BARESIP).expect("an answer");
    assert!(answer.contains("a=sendrecv\r\n"), "{answer}");
    assert!(plan.sending && plan.receiving && !ours.remote_holds());
}

#[test]
fn both_old_and_new_hold_of_a_call_manager_are_understood() {
    let mut ours = negotiator();
    let (answer, plan) = ours.answer(CUCM_HOLD).expect("an answer");
    assert!(answer.contains("a=inactive\r\n"), "{answer}");
    assert!(!plan.sending && !plan.receiving && ours.remote_holds());
    let old = CUCM_HOLD.replace("a=inactive\r\n", "");
    let (answer, plan) = ours.answer(&old).expect("an answer");
    assert!(answer.contains("a=recvonly\r\n"), "{answer}");
    assert!(!plan.sending && plan.receiving && ours.remote_holds());
    // While held we may be asked for an offer, which says what we would like.
    assert!(ours.offer().contains("a=sendrecv\r\n"));
}

#[test]
fn rejected_streams_keep_their_places_in_later_offers() {
    let mut ours = negotiator();
    let video_first = CUCM
        .replace("m=audio", "m=x-audio")
        .replace("m=video 24572 RTP/AVP 97 126", "m=audio 24572 RTP/AVP 0");
    ours.answer(&video_first).expect("an answer");
    let offer = ours.offer();
    let streams = Description::parse(&offer).expect("a description").media;
    let kinds: Vec<_> = streams.iter().map(|media| (media.kind.as_str(), media.port)).collect();
    assert_eq!(kinds, [("x-audio", 0), ("audio", 16_384), ("application", 0)]);
}

#[test]
fn a_failed_offer_leaves_the_agreement_in_force() {
    let mut ours = negotiator();
    ours.answer(BARESIP).expect("an answer");
    let before = ours.offer();
    assert_eq!(ours.answer(DTLS), Err(SdpError::SecureOnly));
    assert_eq!(ours.offer(), before);
}

#[test]
fn our_offer_is_answered_by_our_answerer() {
    let (mut caller, mut callee) = (negotiator(), Negotiator::new(5, local()));
    let (answer, theirs) = callee.answer(&caller.offer()).expect("an answer");
    let ours = caller.accept_answer(&answer).expect("a plan");
    assert_eq!(ours.send, theirs.send);
    assert_eq!((ours.dtmf, theirs.dtmf), (Some(102), Some(102)));
    assert_eq!((ours.remote_rtcp, theirs.remote_rtcp), (None, None));
}

#[test]
fn a_separate_report_port_is_named_and_understood() {
    let (answer, _) = check(BARESIP, LocalMedia { rtcp_port: 17_001, ..local() });
    assert!(answer.contains("a=rtcp:17001\r\n"), "{answer}");
    let offer = BARESIP.replace("a=rtcp:10035", "a=rtcp:20001 IN IP4 127.0.0.4");
    let (_, plan) = check(&offer, local());
    assert_eq!(plan.remote_rtcp, Some("127.0.0.4:20001".parse().expect("an address")));
}

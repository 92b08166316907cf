//! Marks on the packets of a call (DSCP, RFC 2474), and what the system says it really does.

#[cfg(windows)]
mod qwave;

use offhook_ports::MediaPlan;

use super::socket::Pair;

/// The marks of one call's sockets.
#[derive(Default)]
pub(super) struct Marks {
    #[cfg(windows)]
    service: Option<qwave::Service>,
}

#[cfg(unix)]
impl Marks {
    /// Marks what goes out as the plan wants it; gives the code point that the system says it will mark
    /// with.
    pub(super) fn set(&mut self, pairs: &[Pair], plan: &MediaPlan) -> u8 {
        let marked = pairs.iter().map(|pair| {
            super::socket::mark(&pair.rtcp, pair.local_rtcp, plan.dscp);
            super::socket::mark(&pair.rtp, pair.local, plan.dscp)
        });
        marked.reduce(|first, _| first).unwrap_or(0)
    }
}

/// Windows passes over what a program sets on a socket and pretends to have taken it. Its quality service
/// marks, for administrators; else only policies do (`config/windows-qos.ps1`, `config/policy-definitions`),
/// of which nothing is told here, so that 0 is the truth as far as we know it.
#[cfg(windows)]
impl Marks {
    /// Marks what goes out as the plan wants it; gives the code point that the system says it will mark
    /// with. Where the way is still looked for (ICE), flows have no end that could be named.
    pub(super) fn set(&mut self, pairs: &[Pair], plan: &MediaPlan) -> u8 {
        self.service = None;
        let wanted = plan.dscp > 0 && plan.ice.is_none();
        let Some(pair) = pairs.first().filter(|_| wanted) else { return 0 };
        let to_rtcp = plan.remote_rtcp.unwrap_or(plan.remote);
        let marked = qwave::Service::open().and_then(|service| {
            service.mark(&pair.rtp, plan.remote, plan.dscp)?;
            service.mark(&pair.rtcp, to_rtcp, plan.dscp)?;
            Ok(service)
        });
        match marked {
            Ok(service) => {
                self.service = Some(service);
                plan.dscp
            }
            Err(error) => {
                tracing::debug!("code point {} was refused: {error}", plan.dscp);
                0
            }
        }
    }
}

#[cfg(not(any(unix, windows)))]
impl Marks {
    /// Nothing is known of how this system marks.
    pub(super) fn set(&mut self, _: &[Pair], _: &MediaPlan) -> u8 {
        0
    }
}

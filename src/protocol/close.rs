//! WebSocket close codes: 4000–4499 reconnect, 4500–4999 stop (design section 6).

/// Why the server closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Close {
    /// The client logged out.
    Normal,
    /// A frame that the protocol has no place for, such as a binary one.
    Unsupported,
    /// The client keeps breaking a rule after it was told, such as its rate limit.
    Policy,
    /// A frame larger than the limit.
    TooBig,
    /// A failure of the server's own.
    Internal,
    /// The server is restarting; what it told with `server.draining` says when to return.
    Restart,
    /// The server takes no more for now.
    Overloaded,
    /// The UserSig ran out: get a new one and reconnect.
    RefreshCredential,
    /// No login within the time allowed.
    LoginTimeout,
    /// Nothing heard from the client for too long.
    Silent,
    /// The client does not read what it is sent.
    Slow,
    /// The login was refused; trying again will not help.
    LoginRefused,
    /// The device was logged out from elsewhere, or its credential withdrawn.
    Revoked,
    /// Displaced by another login.
    Kicked,
}

impl Close {
    pub const ALL: [Self; 14] = [
        Self::Normal,
        Self::Unsupported,
        Self::Policy,
        Self::TooBig,
        Self::Internal,
        Self::Restart,
        Self::Overloaded,
        Self::RefreshCredential,
        Self::LoginTimeout,
        Self::Silent,
        Self::Slow,
        Self::LoginRefused,
        Self::Revoked,
        Self::Kicked,
    ];

    pub fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Unsupported => 1003,
            Self::Policy => 1008,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::Overloaded => 1013,
            Self::RefreshCredential => 4401,
            Self::LoginTimeout => 4408,
            Self::Silent => 4409,
            Self::Slow => 4410,
            Self::LoginRefused => 4500,
            Self::Revoked => 4501,
            Self::Kicked => 4509,
        }
    }

    /// A short sentence; a close frame has room for 123 bytes.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Normal => "logged out",
            Self::Unsupported => "text frames only",
            Self::Policy => "too many requests",
            Self::TooBig => "frame too big",
            Self::Internal => "internal error",
            Self::Restart => "restarting",
            Self::Overloaded => "overloaded",
            Self::RefreshCredential => "UserSig expired",
            Self::LoginTimeout => "no login in time",
            Self::Silent => "nothing heard in time",
            Self::Slow => "too slow",
            Self::LoginRefused => "login refused",
            Self::Revoked => "logged out from elsewhere",
            Self::Kicked => "displaced by another login",
        }
    }
}

//! Error codes: Tencent's number where one is documented, else JSON-RPC's own.

/// An error code with the sentence a client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub number: i32,
    pub sentence: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $sentence:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self { number: $number, sentence: $sentence };)*

            /// Every code the server answers with.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    // JSON-RPC 2.0, section 5.1.
    PARSE_ERROR = -32700, "the frame is not JSON";
    INVALID_REQUEST = -32600, "the frame is not a JSON-RPC 2.0 request";
    METHOD_NOT_FOUND = -32601, "no such method";
    INVALID_PARAMS = -32602, "a parameter is missing or malformed";
    INTERNAL = -32603, "internal error";
    // Web SDK.
    NOT_LOGGED_IN = 2024, "the user has not logged in";
    REPEAT_LOGIN = 2025, "repeated login";
    CONVERSATION_NOT_FOUND = 2500, "conversation not found";
    INVALID_CONVERSATION_ID = 2503, "invalid conversation ID";
    ILLEGAL_GROUP_ID = 2602, "illegal group ID";
    MESSAGE_NOT_FOUND = 2110, "message not found";
    OVER_FREQUENCY_LIMIT = 2996, "too many requests";
    // Group.
    NO_PERMISSION = 10007, "no permission: not a member, or not of the role this takes";
    GROUP_GONE = 10010, "the group does not exist or has been dissolved";
    GROUP_ID_TAKEN = 10021, "the group ID is taken";
    TOO_MANY_GROUPS = 10037, "the group has too many members, or the account too many groups";
    // Message.
    NOT_FRIENDS = 20009, "the two accounts are not friends";
    WINDOW_PASSED = 20016, "the time in which this could be undone has passed";
    SENDER_OR_RECEIVER_INVALID = 20003, "sender or receiver is invalid";
    BAD_MESSAGE_BODY = 90007, "the message's type or payload is malformed";
    MESSAGE_TOO_LONG = 93000, "the message is longer than 8 KB";
    // Recent contacts.
    TRY_AGAIN = 50004, "the operation could not be committed; try again with the same requestID";
    TOO_MANY_PINS = 51012, "too many pinned conversations";
    // Account and app.
    APP_DISABLED = 60016, "the app is disabled";
    USERSIG_EXPIRED = 70001, "the UserSig has expired or was withdrawn";
    USERSIG_INVALID = 70003, "the UserSig is malformed";
    USERSIG_WRONG_KEY = 70009, "the UserSig was not made with this app's key";
    USERSIG_OTHER_USER = 70013, "the UserSig was made for another userID";
    USERSIG_OTHER_APP = 70014, "the UserSig was made for another app";
    APP_NOT_FOUND = 70020, "no such app";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_has_two_meanings() {
        let mut numbers: Vec<_> = Code::ALL.iter().map(|code| code.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Code::ALL.len());
    }
}

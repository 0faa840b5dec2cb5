//! Settings as an operator reads them: as TOML, secrets hidden.

use std::fmt;

use serde_json::Value;

use super::Settings;

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.clone();
        for app in &mut shown.bootstrap.apps {
            app.secret_key = "(hidden)".into();
        }
        let Ok(Value::Object(sections)) = serde_json::to_value(&shown) else {
            return Err(fmt::Error);
        };
        for (section, keys) in &sections {
            match keys {
                Value::Object(keys) => {
                    writeln!(f, "[{section}]")?;
                    for (key, value) in keys {
                        writeln!(f, "{key} = {}", Toml(value))?;
                    }
                }
                other => writeln!(f, "{section} = {}", Toml(other))?,
            }
        }
        Ok(())
    }
}

/// A value as TOML writes it: scalars and arrays are written as in JSON, tables are not.
struct Toml<'a>(&'a Value);

impl fmt::Display for Toml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Array(items) => {
                f.write_str("[")?;
                for (place, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if place == 0 { "" } else { ", " }, Self(item))?;
                }
                f.write_str("]")
            }
            Value::Object(keys) => {
                f.write_str("{ ")?;
                for (place, (key, value)) in keys.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(f, "{comma}{key} = {}", Self(value))?;
                }
                f.write_str(" }")
            }
            scalar => scalar.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use config::{Config, File, FileFormat};

    use super::*;
    use crate::settings::BootstrapApp;

    #[test]
    fn what_is_shown_reads_back() {
        let mut settings = Settings::default();
        settings.server.allowed_origins = vec!["http://a".into(), "http://b".into()];
        settings.bootstrap.apps.push(BootstrapApp {
            sdk_app_id: 1,
            secret_key: "(hidden)".into(),
            admins: vec!["a".into()],
            sync_conversation_deletion: true,
        });
        let read: Settings = Config::builder()
            .add_source(File::from_str(&settings.to_string(), FileFormat::Toml))
            .build()
            .and_then(Config::try_deserialize)
            .unwrap();
        assert_eq!(read, settings);
    }
}

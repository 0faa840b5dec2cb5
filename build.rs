//! The pages are compiled in: a file that is added or taken away there makes the binary another one.

fn main() {
    for folder in ["console", "demo", "sdk/js/src"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}

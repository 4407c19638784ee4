//! Servers that the scripts of `scripts/` run for us.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// A private server. It ends with this value, and also when the test process dies: the script watches
/// its standard input.
pub struct ScriptServer {
    /// What the script says about the server.
    pub facts: Value,
    child: Mutex<Child>,
    talk: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl ScriptServer {
    /// Starts `scripts/<script>` and waits until its server takes clients.
    pub fn start(script: &str, arguments: &[String]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(script);
        let mut child = Command::new(&path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", path.display()));
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let facts = answer(script, &mut output);
        Self { facts, child: Mutex::new(child), talk: Mutex::new(Some((input, output))) }
    }

    /// Sends one command (`start`, `stop`, `kill`, `restart`) and waits until it is done.
    pub fn tell(&self, command: &str) {
        let mut talk = self.talk.lock().unwrap();
        let (input, output) = talk.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
        let said = answer(command, output);
        assert!(said["error"].is_null(), "{command}: {said}");
    }

    /// A port that the server reported.
    pub fn port(&self, name: &str) -> u16 {
        self.facts[name].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap()
    }
}

fn answer(what: &str, output: &mut impl BufRead) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("{what}: the server did not come up; its words stand above"))
}

impl Drop for ScriptServer {
    fn drop(&mut self) {
        if let Ok(talk) = self.talk.get_mut() {
            talk.take();
        }
        if let Ok(child) = self.child.get_mut() {
            let _ = child.wait();
        }
    }
}

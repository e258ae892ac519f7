//! `models`: which detectors there are, and whether their files are whole.

use super::{
    failure::{DONE, FAILED, Failure},
    long::LongWork,
    native,
    say::print,
};
use crate::{
    cli::{ModelsArgs, ModelsCommand},
    config::{self, ModelFolders},
    detect::registry,
    progress::Progress,
};

/// Exit code 1 when a file is wrong, 2 when no model has the name asked for, 128 + n after signal n.
pub fn run(args: &ModelsArgs) -> Result<u8, Failure> {
    let models = args.dir.clone().map_or_else(ModelFolders::default, ModelFolders::Named);
    if let Some(ModelsCommand::Fetch { name, from }) = &args.command {
        return fetch(name, from.as_deref(), &models);
    }
    native::take_over(&Progress::hidden());
    let (text, code) = match args.command.as_ref().unwrap_or(&ModelsCommand::List) {
        ModelsCommand::Verify => {
            let (text, good) = registry::verify(&models);
            (text, if good { DONE } else { FAILED })
        }
        ModelsCommand::List | ModelsCommand::Fetch { .. } => (registry::list(&models), DONE),
    };
    print(|out| out.write_all(config::redact(&text).as_bytes()))?;
    Ok(code)
}

fn fetch(name: &str, from: Option<&str>, models: &ModelFolders) -> Result<u8, Failure> {
    let known = registry::KNOWN_MODELS.iter().any(|model| model.name == name);
    let work = LongWork::begin(true)?;
    native::take_over(&work.progress);
    let result = registry::fetch(name, models, from, &work.progress);
    let code = work.end(DONE);
    let text =
        result.map_err(
            |problem| {
                if known { anyhow::Error::msg(problem).into() } else { Failure::Usage(problem) }
            },
        )?;
    print(|out| out.write_all(config::redact(&text).as_bytes()))?;
    Ok(code)
}

//! `models`: which detectors there are, and whether their files are whole.

use super::{DONE, FAILED, Failure, native, print};
use crate::{
    cli::{ModelsArgs, ModelsCommand},
    config::{self, ModelFolders},
    detect::registry,
};

/// Exit code 1 when a file is wrong, 2 when no model has the name asked for.
pub fn run(args: &ModelsArgs) -> Result<u8, Failure> {
    let models = args.dir.clone().map_or_else(ModelFolders::default, ModelFolders::Named);
    native::take_over();
    let (text, code) = match args.command.as_ref().unwrap_or(&ModelsCommand::List) {
        ModelsCommand::List => (registry::list(&models), DONE),
        ModelsCommand::Verify => {
            let (text, good) = registry::verify(&models);
            (text, if good { DONE } else { FAILED })
        }
        ModelsCommand::Fetch { name, from } => {
            let known = registry::KNOWN_MODELS.iter().any(|model| model.name == name);
            let text = registry::fetch(name, &models, from.as_deref()).map_err(|problem| {
                if known { anyhow::Error::msg(problem).into() } else { Failure::Usage(problem) }
            })?;
            (text, DONE)
        }
    };
    print(|out| out.write_all(config::redact(&text).as_bytes()))?;
    Ok(code)
}

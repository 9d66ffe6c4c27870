//! `--emit`: the job that runs a command in parts, for a cluster's scheduler.

use serreport::quote;

use crate::{
    cli::{Emit, Reproduce, without},
    error::{LabError, Result},
    shard::Shard,
};

/// Options of the job's command that [`job`] sets itself.
const SET_HERE: [&str; 3] = ["--emit", "--shard", "--jobs"];

/// The job's text for the command line `words` (without the program), `folds` being all there is to train.
///
/// # Errors
/// A `--shard` that is one part already.
pub fn job(args: &Reproduce, emit: Emit, words: &[String], folds: usize) -> Result<String> {
    let parts = match args.shard {
        None | Some(Shard::Auto(None)) => folds.min(1000),
        Some(Shard::Auto(Some(n))) => n.min(folds),
        Some(Shard::Number(part)) => {
            return Err(LabError::Input(format!("--shard {part} is one part; --emit wants auto/N for a job of N")));
        }
    };
    let jobs = args.jobs.unwrap_or(1);
    let name = format!("serlab-{}", args.experiment.name());
    let mut command = without(&SET_HERE, words);
    command.extend(["--shard".to_owned(), format!("auto/{parts}"), "--jobs".to_owned(), jobs.to_string()]);
    Ok(match emit {
        Emit::Slurm => {
            let program = std::env::current_exe().map_err(LabError::work)?;
            let command: Vec<String> = command.iter().map(|w| quote(w)).collect();
            format!(
                "#!/bin/sh\n\
                 # {folds} folds in {parts} tasks. `sbatch` this in the folder that configs/ is in; a task that was killed goes on\n\
                 # from its last checkpoint when it is queued again, and the task that ends last makes the tables.\n\
                 #SBATCH --job-name={name}\n\
                 #SBATCH --array=1-{parts}\n\
                 #SBATCH --ntasks=1\n\
                 #SBATCH --cpus-per-task={jobs}\n\
                 #SBATCH --requeue\n\
                 #SBATCH --open-mode=append\n\
                 #SBATCH --output={name}-%a.log\n\
                 exec srun --ntasks=1 {} {}\n",
                quote(&program.display().to_string()),
                command.join(" ")
            )
        }
        Emit::Kubernetes => {
            command.insert(0, "serlab".to_owned());
            // JSON is YAML.
            let command = serde_json::to_string(&command).map_err(LabError::work)?;
            format!(
                "# {folds} folds in {parts} indexed pods. Fill in the image (with `serlab` in its PATH and configs/ in its working\n\
                 # folder) and a volume that all pods share, for the data and the run folder. The pod that ends last makes the tables.\n\
                 apiVersion: batch/v1\n\
                 kind: Job\n\
                 metadata:\n  name: {name}\n\
                 spec:\n  completionMode: Indexed\n  completions: {parts}\n  parallelism: {parts}\n  backoffLimitPerIndex: 5\n  \
                 template:\n    spec:\n      restartPolicy: Never\n      containers:\n        - name: serlab\n          \
                 image: serlab\n          command: {command}\n          resources:\n            requests: {{ cpu: \"{jobs}\" }}\n          \
                 volumeMounts:\n            - {{ name: work, mountPath: /work }}\n      volumes:\n        - name: work\n          \
                 persistentVolumeClaim: {{ claimName: serlab }}\n"
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_keeps_the_users_words_and_no_other_shard() {
        let words = ["reproduce", "table1", "--emit", "slurm", "--shard=auto/4", "--set", "front_end.preset='x y'"];
        let kept = without(&SET_HERE, &words.map(str::to_owned));
        assert_eq!(kept, ["reproduce", "table1", "--set", "front_end.preset='x y'"]);
        assert_eq!(quote(&kept[3]), r"'front_end.preset='\''x y'\'''");
        assert_eq!(quote("emodb=/data/emodb"), "emodb=/data/emodb");
    }
}

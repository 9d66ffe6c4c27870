#!/usr/bin/env bash
# A real one-node Slurm on loopback: two job arrays of ten tasks on synthetic data, a task of each killed and requeued, and
# the tables compared with an undisturbed run's. Wants root, which the daemons do; leaves nothing but what apt installed.
#
#   sudo scripts/slurm_trial.sh            builds serlab
#   sudo SERLAB=PATH scripts/slurm_trial.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    [ "$(id -u)" = 0 ] || { echo "slurm-wlm and munge are not installed: run this as root" >&2; exit 2; }
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge
fi
if [ -z "${SERLAB:-}" ]; then
    (cd "$root" && cargo xtask setup && cargo build --release --package serlab)
    SERLAB=$root/target/release/serlab
fi

work=$(mktemp -d)
daemons=()
finish() {
    status=$?
    if [ $status != 0 ]; then
        tail -n 20 "$work"/*.log >&2 || true
    fi
    for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
    exit $status
}
trap finish EXIT

# --- Slurm ------------------------------------------------------------------------------------------------------------
mkdir -p "$work"/{state,spool,run}
chmod 755 "$work"
node=$(hostname -s)
export SLURM_CONF=$work/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=trial
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/run/munge.socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/run/slurmctld.pid
SlurmdPidFile=$work/run/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=trial Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
head -c 1024 /dev/urandom >"$work/munge.key"
chmod 600 "$work/munge.key"
munged --foreground --force --key-file="$work/munge.key" --socket="$work/run/munge.socket" \
    --pid-file="$work/run/munge.pid" --seed-file="$work/run/munge.seed" >"$work/munged.log" 2>&1 &
daemons+=($!)
until [ -S "$work/run/munge.socket" ]; do sleep 0.2; done
slurmctld -D >/dev/null 2>&1 &
daemons+=($!)
slurmd -D -N "$node" >/dev/null 2>&1 &
daemons+=($!)
for _ in $(seq 200); do
    if sinfo --noheader --format=%t 2>/dev/null | grep -q idle; then break; fi
    sleep 0.3
done
sinfo # fails where the controller did not come up

# --- The runs ---------------------------------------------------------------------------------------------------------
cd "$work"
unset SER_DATA
options=(reproduce table1 --synthetic --only casia,emodb --folds 5 --epochs "${EPOCHS:-60}" --checkpoint-every 0.5)
echo "== an undisturbed run"
time "$SERLAB" "${options[@]}" --run-dir whole >whole.txt 2>whole.log
cat whole.txt

# Submits job script $1 and, once a task is at work in the folder that $2 matches, has it killed and queued again.
disturbed() {
    job=$(sbatch --parsable "$1")
    until compgen -G "$2" >/dev/null; do sleep 0.1; done
    scontrol requeue "${job}_1"
    echo "task 1 of job $job was killed and queued again"
    # Slurm lets a requeued task wait for two minutes; this one need not.
    until squeue --noheader --array --job="$job" --format='%K %T' | grep -q '^1 PENDING'; do sleep 0.2; done
    scontrol update jobid="${job}_1" starttime=now || true
    while [ -n "$(squeue --noheader --job="$job" 2>/dev/null)" ]; do sleep 0.5; done
    grep -l 'stopping after\|interrupted' ./*.log || true
}

echo "== ten tasks in one run folder; the last one makes the tables"
"$SERLAB" "${options[@]}" --run-dir shared --emit slurm --shard auto/10 >shared.sh
time disturbed shared.sh 'shared/*/fold-00.checkpoint'
cmp whole/metrics.json shared/metrics.json
mkdir logs && mv serlab-table1-*.log logs/

echo "== ten tasks with a run folder each, merged"
"$SERLAB" "${options[@]}" --run-dir PART --emit slurm --shard auto/10 | sed 's/--run-dir PART/--run-dir part-$SLURM_ARRAY_TASK_ID/' >parts.sh
time disturbed parts.sh 'part-1/*/fold-00.checkpoint'
"$SERLAB" merge part-{1..10} -o merged >merged.txt 2>merged.log
cmp whole/metrics.json merged/metrics.json
cmp whole.txt merged.txt
for run in shared merged; do
    diff -r --exclude='environment.json' --exclude='sessions.jsonl' --exclude='*provenance.json' --exclude='lock*' --exclude=report whole "$run"
done
echo "the tables of both arrays equal the undisturbed run's, byte for byte, as does all but what tells of the sessions"

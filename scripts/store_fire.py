#!/usr/bin/env python3
"""The fold store under fire: `serlab` killed at every write, full disks, two writers of one key, damaged entries.

    scripts/store_fire.py target/release/serlab [--every K] [--only kill,disk,writers,damage]

Linux on x86-64; full disks are small tmpfs, which root may mount. A run of two folds and two epochs on a synthetic corpus is the
example. Every trial has a store and a run folder of its own, ends with the same command once more, undisturbed, and counts as good
where that gives the run folder and the store byte by byte as a run that nothing disturbed, with nothing else left in them. Prints
counts, and the first of what is wrong; exits with 1 where something is.

A call that writes is one of write, fsync, rename, mkdir, unlink, link and their kin on files, and an open that makes a file. The process is
killed with SIGKILL as it enters the N-th of them, counted over all of its threads, for N = 1, 1 + K, ..
"""

import argparse
import collections
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

RUN = [
    "reproduce", "table1", "--synthetic", "--only", "emodb", "--protocol", "last-epoch", "--folds", "2", "--epochs", "2", "--jobs", "1",
    "--checkpoint-every", "0", "--set", "corpora.emodb.length=8000", "--set", "corpora.emodb.blocks=2", "--run-dir", "run",
]  # fmt: skip
# What says who trained, when and where, and the report, which quotes it.
OF_THIS_CALL = {"environment.json", "provenance.json"}

# --- ptrace ---------------------------------------------------------------------------------------------------------------------

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
TRACEME, GETREGS, SYSCALL, SETOPTIONS = 0, 12, 24, 0x4200
# TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE, EXITKILL.
OPTIONS = 1 | 2 | 4 | 8 | 1 << 20
ON_A_HANDLE = {1: "write", 18: "pwrite64", 20: "writev", 74: "fsync", 75: "fdatasync", 77: "ftruncate", 91: "fchmod"}
ON_A_PATH = {
    82: "rename", 264: "renameat", 316: "renameat2", 83: "mkdir", 258: "mkdirat", 84: "rmdir", 87: "unlink", 263: "unlinkat", 86: "link",
    265: "linkat",
}  # fmt: skip
OPENAT, O_CREAT = 257, 0o100


class Registers(ctypes.Structure):
    NAMES = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs"
    _fields_ = [(name, ctypes.c_ulonglong) for name in NAMES.split()]


def writes(pid, r):
    """The name of the call where it writes to the file system, else None."""
    if r.orig_rax in ON_A_PATH:
        return ON_A_PATH[r.orig_rax]
    if r.orig_rax == OPENAT and r.rdx & O_CREAT:
        return "open"
    if r.orig_rax in ON_A_HANDLE and r.rdi > 2:
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{r.rdi}").startswith("/"):
                return ON_A_HANDLE[r.orig_rax]
    return None


def killed_at(n, command, folder, env):
    """Runs the command and kills it at its n-th call that writes; the calls that it made, and its exit code where it ended itself."""
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        null = os.open(os.devnull, os.O_RDWR)
        for handle in range(3):
            os.dup2(null, handle)
        libc.ptrace(TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execve(command[0], command, env)
    os.waitpid(pid, 0)
    libc.ptrace(SETOPTIONS, pid, None, OPTIONS)
    libc.ptrace(SYSCALL, pid, None, None)
    inside, made, code, registers = set(), [], None, Registers()
    while True:
        try:
            thread, status = os.waitpid(-1, 0x40000000)
        except ChildProcessError:
            return made, code
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if thread == pid:
                code = os.waitstatus_to_exitcode(status)
            continue
        stopped, deliver = os.WSTOPSIG(status), 0
        if stopped == signal.SIGTRAP | 0x80:
            inside ^= {thread}
            if thread in inside:
                libc.ptrace(GETREGS, thread, None, ctypes.byref(registers))
                if (call := writes(pid, registers)) is not None:
                    made.append(call)
                    if len(made) == n:
                        os.kill(pid, signal.SIGKILL)
        elif stopped not in (signal.SIGTRAP, signal.SIGSTOP):
            deliver = stopped
        libc.ptrace(SYSCALL, thread, None, deliver)


# --- trials ---------------------------------------------------------------------------------------------------------------------


class Lab:
    def __init__(self, serlab, folder):
        self.serlab, self.folder = str(serlab), folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("SER_", "SLURM_"))} | {"SER_STORE": "store"}
        self.run()
        self.wanted = self.state()
        self.wrong = []

    def path(self, name):
        return self.folder / name

    def fresh(self):
        for name in ("run", "store"):
            shutil.rmtree(self.path(name), ignore_errors=True)

    def process(self, *more, env=None):
        return subprocess.run([self.serlab, *RUN, *more], cwd=self.folder, env=self.env | (env or {}), capture_output=True, text=True)

    def run(self, *more, env=None):
        done = self.process(*more, env=env)
        if done.returncode != 0:
            raise SystemExit(f"the example run fails: {done.stderr}")
        return done.stderr

    def state(self, run="run", store="store"):
        """Every file of run folder and store that is to be the same whenever it was made, with its bytes; of others that they are there."""
        found = {}
        for name, root in (("run", self.path(run)), ("store", self.path(store))):
            for path in sorted(p for p in root.rglob("*") if p.is_file()):
                inner = str(path.relative_to(root))
                if inner == "sessions.jsonl":  # A call that trained nothing writes none.
                    continue
                changes = path.name in OF_THIS_CALL or inner.startswith("report/") or path.suffix == ".notes" or "provenance" in path.name
                found[f"{name}/{inner}"] = None if changes else path.read_bytes()
        return found

    def judge(self, what, run="run"):
        """Whether all is as if nothing had happened."""
        found = self.state(run)
        for name in sorted(found.keys() | self.wanted.keys()):
            if name not in found or name not in self.wanted or found[name] != self.wanted[name]:
                how = "is missing" if name not in found else "is left behind" if name not in self.wanted else "has other bytes"
                self.wrong.append(f"{what}: {name} {how}")
                return False
        return True


def kill(lab, every):
    lab.fresh()
    made, code = killed_at(0, [lab.serlab, *RUN], lab.folder, lab.env)
    if code != 0:
        raise SystemExit(f"the example run fails under ptrace: {code}")
    counts = ", ".join(f"{n} {call}" for call, n in collections.Counter(made).most_common())
    print(f"kill: {len(made)} calls that write ({counts})", flush=True)
    good = trials = not_reached = 0
    for n in range(1, len(made) + 1, every):
        lab.fresh()
        calls, code = killed_at(n, [lab.serlab, *RUN], lab.folder, lab.env)
        if code != -signal.SIGKILL:
            not_reached += 1
            continue
        trials += 1
        again = lab.process()
        what = f"killed at call {n} ({calls[n - 1]})"
        if again.returncode != 0:
            lab.wrong.append(f"{what}: the next run has code {again.returncode}: {again.stderr[-300:]}")
        elif lab.judge(what):
            good += 1
    print(f"kill: {trials} kills at calls 1, {1 + every}, ..; {good} runs went on to the same bytes; {not_reached} ended before their call", flush=True)


@contextlib.contextmanager
def disk(path, kib):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(path)], check=True)
    try:
        yield lambda more: subprocess.run(["mount", "-o", f"remount,size={more}k", str(path)], check=True)
    finally:
        subprocess.run(["umount", str(path)], check=True)


def full_disk(lab):
    for name in ("store", "run"):
        good = trials = enough = 0
        said = collections.Counter()
        size = sum(len(p.read_bytes()) for p in lab.path(name).rglob("*") if p.is_file()) // 1024 if lab.path(name).exists() else 0
        for kib in [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048]:
            lab.fresh()
            with disk(lab.path(name), kib) as grow:
                first = lab.process()
                if first.returncode == 0:
                    enough += 1
                    continue
                trials += 1
                what = f"full disk of {kib} KiB for the {name} folder"
                last = first.stderr.strip().splitlines()[-1]
                if first.returncode != 1 or "No space left on device" not in last or "panicked" in first.stderr:
                    lab.wrong.append(f"{what}: code {first.returncode}, {last}")
                    continue
                said[" ".join(last.split()[2:])[:150]] += 1
                grow(32 << 10)
                again = lab.process()
                if again.returncode != 0:
                    lab.wrong.append(f"{what}: with space again code {again.returncode}: {again.stderr[-300:]}")
                elif lab.judge(what):
                    good += 1
        print(f"disk: {name} folder ({size} KiB) on {trials} disks too small; {good} went on to the same bytes with space; {enough} were large enough")
        for text, n in said.most_common(3):
            print(f"disk:   {n} times `{text}`", flush=True)


def writers(lab):
    good, rounds, trained, taken = 0, 6, 0, 0
    for i in range(rounds):
        lab.fresh()
        for name in ("run-a", "run-b"):
            shutil.rmtree(lab.path(name), ignore_errors=True)
        start = lambda run: subprocess.Popen(
            [lab.serlab, *RUN[:-1], run], cwd=lab.folder, env=lab.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        both = [start("run-a"), start("run-b")]
        ended = [(p.communicate()[1], p.returncode) for p in both]
        trained += sum(said.count(": finished;") for said, _ in ended)
        taken += sum(said.count(": was in the fold store;") for said, _ in ended)
        if any(code != 0 for _, code in ended):
            lab.wrong.append(f"writers, round {i}: codes {[code for _, code in ended]}: {ended[0][0][-200:]} {ended[1][0][-200:]}")
        elif all([lab.judge(f"writers, round {i}", run) for run in ("run-a", "run-b")]):
            good += 1
    print(f"writers: {rounds} rounds of two processes, two folds each: {trained} folds trained, {taken} taken from the other; {good} rounds gave the same bytes in both", flush=True)
    if trained != 2 * rounds or taken != 2 * rounds:
        lab.wrong.append("writers: each fold should be trained once and taken once")


def damage(lab):
    lab.fresh()
    lab.run()
    store = sorted(p.relative_to(lab.path("store")) for p in lab.path("store").rglob("*.fold"))
    ways = {
        "a bit in the header": lambda b: b[:40] + bytes([b[40] ^ 1]) + b[41:],
        "a bit in the middle": lambda b: b[: len(b) // 2] + bytes([b[len(b) // 2] ^ 1]) + b[len(b) // 2 + 1 :],
        "a bit at the end": lambda b: b[:-1] + bytes([b[-1] ^ 1]),
        "half of it": lambda b: b[: len(b) // 2],
        "nothing": lambda b: b"",
        "zeros": lambda b: bytes(len(b)),
        "another fold's": None,
    }
    good = told = 0
    for way, change in ways.items():
        for name in store:
            lab.fresh()
            lab.run()
            path = lab.path("store") / name
            other = next(lab.path("store") / n for n in store if n != name)
            path.write_bytes(other.read_bytes() if change is None else change(path.read_bytes()))
            shutil.rmtree(lab.path("run"))
            again = lab.process()
            told += name.name in again.stderr and "left out" in again.stderr
            if again.returncode != 0:
                lab.wrong.append(f"damage, {way}: code {again.returncode}: {again.stderr[-300:]}")
            elif lab.judge(f"damage, {way}"):
                good += 1
    trials = len(ways) * len(store)
    print(f"damage: {trials} damaged entries ({', '.join(ways)}): {told} told, {good} trained again to the same bytes", flush=True)
    if told != trials:
        lab.wrong.append("damage: an entry was used or left out without a word")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("serlab", type=pathlib.Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", default="kill,disk,writers,damage")
    args = parser.parse_args()
    only = args.only.split(",")
    with tempfile.TemporaryDirectory(prefix="store-fire-") as folder:
        lab = Lab(args.serlab.resolve(), pathlib.Path(folder))
        trials = {"kill": lambda: kill(lab, args.every), "disk": lambda: full_disk(lab), "writers": lambda: writers(lab), "damage": lambda: damage(lab)}
        for name in only:
            trials[name]()
    for wrong in lab.wrong[:20]:
        print(f"WRONG: {wrong}")
    print(f"{len(lab.wrong)} faults")
    return 1 if lab.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Predictors that misbehave, each with what becomes of it and the part that contains it.

`docs/confinement.md` shows the same table; a test compares the two.
"""

from typing import NamedTuple

from harness.sandbox.watch import MOST_FILES, MOST_THREADS


class Misbehaviour(NamedTuple):
    """What a predictor does.

    Attributes:
        source: statements of its `fit`; what they give to `tell` is what they found.
        outcome: what they find, or the reason of the failure, or the beginning of it.
        part: what contains it.
        seconds: wall-clock limit of the job: what is contained otherwise is contained before, however busy the machine.
    """

    source: str
    outcome: str
    part: str
    seconds: float = 120


CALLS = {
    "add_key": (248, 217), "bpf": (321, 280), "capset": (126, 91), "chroot": (161, 51), "execveat": (322, 281),
    "fanotify_init": (300, 262), "inotify_init1": (294, 26), "io_uring_setup": (425, 425), "keyctl": (250, 219),
    "memfd_create": (319, 279), "mount": (165, 40), "mq_open": (240, 180), "msgget": (68, 186),
    "open_by_handle_at": (304, 265), "perf_event_open": (298, 241), "personality": (135, 92),
    "pidfd_open": (434, 434), "process_vm_readv": (310, 270), "ptrace": (101, 117), "reboot": (169, 142),
    "rt_sigqueueinfo": (129, 138), "sched_setaffinity": (203, 122), "seccomp": (317, 277), "semget": (64, 190),
    "setns": (308, 268), "setpriority": (141, 140), "setuid": (105, 146), "shmget": (29, 194), "socket": (41, 198),
    "tgkill": (234, 131), "unshare": (272, 97), "userfaultfd": (323, 282), "clone3": (435, 435), "clone": (56, 220),
    "mincore": (27, 232), "fadvise64": (221, 223), "madvise": (28, 233), "preadv2": (327, 286),
    "fallocate": (285, 47), "flock": (73, 32), "exit": (60, 93),
    "utimensat": (280, 88), "setxattr": (188, 5), "settimeofday": (164, 170), "prlimit64": (302, 261),
    "fchmodat": (268, 53), "fchownat": (260, 54), "truncate": (76, 45), "mknodat": (259, 33), "fcntl": (72, 25),
    "unknown": (1000, 1000),
}  # fmt: skip
"""Numbers of system calls on x86-64 and AArch64."""

HELPERS = f"""
import ctypes, errno, json, mmap, os, signal, stat, struct, sys, threading, time
CALLS = {CALLS!r}
PLACE = 0 if os.uname().machine == "x86_64" else 1
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
SHARED = mmap.mmap(-1, 4096)
OUTSIDE = OUTSIDE_FILE.encode()


class Told(Exception):
    pass


def tell(found):
    raise Told(found)


def word(result):
    return "allowed" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def as_argument(value):
    return ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_long(value)


def call(name, *arguments):
    tell(word(LIBC.syscall(ctypes.c_long(CALLS[name][PLACE]), *map(as_argument, arguments))))


def function(name, *arguments):
    tell(word(getattr(LIBC, name)(*map(as_argument, arguments))))


def job_socket():
    return next(fd for fd in range(3, 64) if is_socket(fd))


def is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def answer(header, figures=b""):
    for part in (header, figures):
        os.write(job_socket(), struct.pack("!i", len(part)) + part)
    os._exit(0)


SOUND = {{"is_loaded": True, "has_intervals": False, "has_networks": False, "reason": None, "fit_s": 0, "predict_s": 0}}
"""

FILTER, FILES, LIMITS, WATCH, FRESH = "filter of system calls", "Landlock", "limits", "watch", "fresh process"
HOOK, READER = "filter of system calls, audit hook", "reader of answers"
EPERM, EACCES = "EPERM", "EACCES"


def _calls() -> dict[str, Misbehaviour]:
    """System calls that are refused whatever their arguments."""
    refused = {
        "takes shared memory of System V": "'shmget', 1234, 4096, 0o1666",
        "takes a semaphore of System V": "'semget', 1234, 1, 0o1666",
        "takes a message queue of System V": "'msgget', 1234, 0o1666",
        "opens a POSIX message queue": "'mq_open', b'queue', os.O_CREAT | os.O_RDWR, 0o666, 0",
        "leaves a key in a keyring": "'add_key', b'user', b'rows', b'1.0', 3, -4",
        "reads a keyring": "'keyctl', 0, -4, 0",
        "makes a file in memory": "'memfd_create', b'rows', 0",
        "opens a UNIX socket, named or abstract": "'socket', 1, 1, 0",
        "opens an internet socket": "'socket', 2, 1, 0",
        "opens a netlink socket": "'socket', 16, 3, 0",
        "watches files of others by inotify": "'inotify_init1', 0",
        "watches files of others by fanotify": "'fanotify_init', 0, 0",
        "traces its parent": "'ptrace', 16, os.getppid(), 0, 0",
        "reads the memory of its parent": "'process_vm_readv', os.getppid(), 0, 0, 0, 0, 0",
        "takes a handle of its parent": "'pidfd_open', os.getppid(), 0",
        "queues a signal to its parent": "'rt_sigqueueinfo', os.getppid(), 9, b' ' * 128",
        "signals a thread of its parent": "'tgkill', os.getppid(), os.getppid(), 9",
        "moves its parent to another core": "'sched_setaffinity', os.getppid(), 8, b'\\x01' + bytes(7)",
        "limits its parent": "'prlimit64', os.getppid(), 0, bytes(16), 0",
        "makes its parent slow": "'setpriority', 0, os.getppid(), 19",
        "has signals sent to its parent": "'fcntl', 0, 8, os.getppid()",
        "holds up who opens a file": "'fcntl', 0, 1024, 0",
        "makes namespaces of its own": "'unshare', 0x10000000",
        "enters a namespace": "'setns', 0, 0",
        "mounts a file system": "'mount', b'none', b'.', b'tmpfs', 0, 0",
        "changes its root": "'chroot', b'.'",
        "loads a program into the kernel": "'bpf', 0, 0, 0",
        "counts events of the machine": "'perf_event_open', bytes(128), 0, -1, -1, 0",
        "handles page faults itself": "'userfaultfd', 0",
        "queues system calls": "'io_uring_setup', 1, bytes(120)",
        "changes how it is executed": "'personality', 0x0040000",
        "installs a filter of its own": "'seccomp', 1, 0, bytes(16)",
        "restarts the machine": "'reboot', 0, 0, 0, 0",
        "sets the clock": "'settimeofday', bytes(16), 0",
        "becomes another user": "'setuid', 65534",
        "opens a file by its handle": "'open_by_handle_at', -100, bytes(24), 0",
        "takes capabilities": "'capset', bytes(8), bytes(24)",
        "starts a process with clone": "'clone', 17, 0, 0, 0, 0",
        "starts a thread with files of its own": "'clone', 0x10d00, 0, 0, 0, 0",
        "locks a file of others": "'flock', os.open(json.__file__, 0), 2",
        "locks bytes of a file of others": "'fcntl', os.open(json.__file__, 0), 6, bytes(32)",
        "looks for locks of others": "'fcntl', os.open(json.__file__, 0), 5, bytes(32)",
        "asks what of a file is cached": "'mincore', 0, 4096, bytes(8)",
        "asks for what is cached alone": "'preadv2', 0, 0, 0, 0, 8",
        "drops a file from the cache": "'fadvise64', os.open(json.__file__, 0), 0, 0, 4",
        "drops pages from memory for all": "'madvise', 0, 4096, 21",
        "has pages merged with those of others": "'madvise', 0, 4096, 12",
        "takes the space of the disk at once": "'fallocate', 0, 1, 0, 10 << 30",
        "starts a program without a fork": "'execveat', -100, b'/bin/true', 0, 0, 0",
        "makes a call that no kernel has yet": "'unknown'",
        "changes the rights of a file of others": "'fchmodat', -100, OUTSIDE, 0o777",
        "changes the owner of a file of others": "'fchownat', -100, OUTSIDE, 1, 1, 0",
        "changes the times of a file of others": "'utimensat', -100, OUTSIDE, 0, 0",
        "leaves an attribute on a file of others": "'setxattr', OUTSIDE, b'user.rows', b'1', 1, 0",
        "empties a file of others": "'truncate', OUTSIDE, 0",
    }
    found = {name: Misbehaviour(f"call({arguments})", EPERM, FILTER) for name, arguments in refused.items()}
    found["starts a process with clone3"] = Misbehaviour("call('clone3', bytes(88), 88)", "ENOSYS", FILTER)
    return found


MISBEHAVING = {
    "keeps rows in inherited memory": Misbehaviour(
        "before = SHARED[0]; SHARED[0] = 1; tell(f'{before} kept')", "0 kept", FRESH
    ),
    "looks for rows in inherited memory": Misbehaviour("tell(f'{SHARED[0]} kept')", "0 kept", FRESH),
    "looks for descriptors that it inherited": Misbehaviour(
        "tell(f\"{len([fd for fd in os.listdir('/proc/self/fd') if int(fd) > 2])} descriptors\")",
        "3 descriptors",
        FRESH,
    ),
    "looks for memory that others can write to": Misbehaviour(
        "tell(f\"{sum('rw-s' in line for line in open('/proc/self/maps'))} of its own\")", "1 of its own", FRESH
    ),
    **_calls(),
    "forks": Misbehaviour("function('fork')", EPERM, FILTER),
    "forks until the machine is full": Misbehaviour("tell(sum(LIBC.fork() >= 0 for _ in range(1000)))", "0", FILTER),
    "leaves a daemon": Misbehaviour("LIBC.fork() or LIBC.setsid() or LIBC.fork(); function('fork')", EPERM, FILTER),
    "kills its parent": Misbehaviour("os.kill(os.getppid(), 9)", "signalled another process", HOOK),
    "kills its parent by a library": Misbehaviour("function('kill', os.getppid(), 9)", EPERM, f"{FILTER}, {FILES}"),
    "kills all that it may": Misbehaviour("function('kill', -1, 9)", EPERM, FILTER),
    "outlives its parent": Misbehaviour("function('prctl', 1, 0, 0, 0, 0)", EPERM, FILTER),
    "hides from its parent": Misbehaviour("function('prctl', 4, 0, 0, 0, 0)", EPERM, FILTER),
    "types into a terminal": Misbehaviour("function('ioctl', 0, 0x5412, b'x')", EPERM, FILTER),
    "changes the rights of its folder": Misbehaviour(
        "open('x', 'w').close(); os.chmod('.', 0o555)", "changed the rights of a file", HOOK
    ),
    "makes folders without rights": Misbehaviour(
        "os.mkdir('a', 0); os.umask(0o777); os.mkdir('b'); tell('done')", "done", WATCH
    ),
    "reads the file of its parent's memory": Misbehaviour(
        "function('open', f'/proc/{os.getppid()}/mem'.encode(), 0)", EACCES, FILES
    ),
    "reads the environment of its parent": Misbehaviour(
        "function('open', f'/proc/{os.getppid()}/environ'.encode(), 0)", EACCES, FILES
    ),
    "makes a call of 32 bits": Misbehaviour(
        "code = mmap.mmap(-1, 4096, prot=7); code.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()",
        "was ended by signal",
        FILTER,
    ),
    "reads the command of another process": Misbehaviour("function('open', b'/proc/1/cmdline', 0)", EACCES, FILES),
    "lists the processes": Misbehaviour("os.listdir('/proc')", "raised PermissionError: [Errno 13]", FILES),
    "lists the folder of others": Misbehaviour("os.listdir('/')", "raised PermissionError: [Errno 13]", FILES),
    "leaves a file in /dev/shm": Misbehaviour(
        "open('/dev/shm/rows', 'w')", "wrote /dev/shm/rows", f"{FILES}, audit hook"
    ),
    "leaves POSIX shared memory": Misbehaviour(
        "function('shm_open', b'/rows', os.O_CREAT | os.O_RDWR, 0o666)", EACCES, FILES
    ),
    "leaves a named semaphore": Misbehaviour(
        "LIBC.sem_open.restype = ctypes.c_void_p\n"
        "if LIBC.sem_open(b'/rows', os.O_CREAT, 0o666, 1) is None: tell(word(-1))",
        EACCES,
        FILES,
    ),
    "reads a file of others by a library": Misbehaviour("function('open', OUTSIDE, 0)", EACCES, FILES),
    "writes a file of others by a library": Misbehaviour("function('open', OUTSIDE, 1)", EACCES, FILES),
    "empties a file of others by opening it": Misbehaviour(
        "function('open', OUTSIDE, os.O_TRUNC)", EPERM, f"{FILTER}, {FILES}"
    ),
    "removes a file of others": Misbehaviour("function('unlink', OUTSIDE)", EACCES, FILES),
    "links a file of others": Misbehaviour("os.link(OUTSIDE, 'link')", "raised OSError: [Errno 18]", FILES),
    "moves a file out of its folder": Misbehaviour(
        "open('x', 'w').close(); os.rename('x', '../x')", "raised PermissionError: [Errno 13]", FILES
    ),
    "makes a folder beside its own": Misbehaviour("os.mkdir('../x')", "raised PermissionError: [Errno 13]", FILES),
    "makes a pipe with a name": Misbehaviour("os.mkfifo('pipe')", "raised PermissionError: [Errno 1]", FILTER),
    "makes a device": Misbehaviour("call('mknodat', -100, b'device', 0o20666, 0x103)", EPERM, FILTER),
    "has capabilities": Misbehaviour(
        "tell(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('CapEff')))",
        "0000000000000000",
        "no capabilities",
    ),
    "sets an alarm": Misbehaviour(
        "signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(5)", "was ended by signal 14", WATCH
    ),
    "opens files without end": Misbehaviour(
        "kept = [open(f'{number}', 'w') for number in range(100)]", "raised OSError: [Errno 24]", LIMITS
    ),
    "nests folders deeper than a path can name": Misbehaviour(
        "for _ in range(900): os.mkdir('d' * 100); os.chdir('d' * 100)\ntell('done')", "done", WATCH
    ),
    "stops itself": Misbehaviour("os.kill(os.getpid(), signal.SIGSTOP)", "ran longer than 4 s", WATCH, seconds=4),
    "is sound after one that stopped": Misbehaviour("tell('done')", "done", FRESH, seconds=4),
    "starts threads without end": Misbehaviour(
        "threading.stack_size(65536)\nwhile True:\n    try:\n"
        "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "    except RuntimeError:\n        time.sleep(0.01)",
        f"started more than {MOST_THREADS} threads",
        WATCH,
    ),
    "is sound after one with threads": Misbehaviour("tell('done')", "done", FRESH),
    "fills the disk with files": Misbehaviour(
        "for number in range(20): open(f'{number}', 'wb').write(bytes(1 << 20))\ntime.sleep(100)",
        "wrote more than 4 MB of files",
        WATCH,
    ),
    "is sound after one that filled the disk": Misbehaviour("tell('done')", "done", FRESH),
    "fills the disk with files that it unlinked": Misbehaviour(
        "kept = []\nfor number in range(20):\n    kept.append(open('x', 'wb', 0)); kept[-1].write(bytes(1 << 20))\n"
        "    os.unlink('x')\ntime.sleep(100)",
        "wrote more than 4 MB of files",
        WATCH,
    ),
    "is sound after one that unlinked": Misbehaviour("tell('done')", "done", FRESH),
    "fills the disk with files that only memory holds": Misbehaviour(
        "LIBC.mmap.restype = ctypes.c_void_p\nfor _ in range(8):\n    fd = os.open('x', 66, 0o600)\n"
        "    os.write(fd, bytes(1 << 20)); LIBC.mmap(None, ctypes.c_size_t(1 << 20), 3, 1, fd, ctypes.c_long(0))\n"
        "    os.close(fd); os.unlink('x')\ntime.sleep(100)",
        "wrote more than 4 MB of files",
        WATCH,
    ),
    "fills the disk after its first thread has ended": Misbehaviour(
        "def fill():\n    kept = []\n    for _ in range(8):\n        kept.append(open('x', 'wb', 0)); os.unlink('x')\n"
        "        kept[-1].write(bytes(1 << 20))\n    time.sleep(100)\n"
        "threading.Thread(target=fill).start(); LIBC.syscall(ctypes.c_long(CALLS['exit'][PLACE]), 0)",
        "wrote more than 4 MB of files",
        WATCH,
    ),
    "is sound after one whose first thread ended": Misbehaviour("tell('done')", "done", FRESH),
    "makes files without end": Misbehaviour(
        "for number in range(12_000): os.symlink('x', f'{number}')\ntime.sleep(100)",
        f"made more than {MOST_FILES} files",
        WATCH,
    ),
    "answers with JSON without end": Misbehaviour("answer(b'[' * 60_000)", "garbled its answer", READER),
    "answers with a list": Misbehaviour("answer(b'[1]')", "garbled its answer", READER),
    "answers with a number for a reason": Misbehaviour(
        "answer(json.dumps(SOUND | {'reason': 7}).encode())", "garbled its answer", READER
    ),
    "answers with a time that is no number": Misbehaviour(
        "answer(json.dumps(SOUND | {'fit_s': float('nan')}).encode())", "garbled its answer", READER
    ),
    "answers with a time below zero": Misbehaviour(
        "answer(json.dumps(SOUND | {'fit_s': -1}).encode())", "garbled its answer", READER
    ),
    "answers with more time than has passed": Misbehaviour(
        "answer(json.dumps(SOUND | {'fit_s': 1e9}).encode())", "garbled its answer", READER
    ),
    "answers with more time for a batch than has passed": Misbehaviour(
        "answer(json.dumps(SOUND | {'batch_s': 1e9}).encode())", "garbled its answer", READER
    ),
    "answers with figures too few": Misbehaviour(
        "answer(json.dumps(SOUND).encode(), bytes(8))", "garbled its answer", READER
    ),
    "answers with half a figure": Misbehaviour(
        "answer(json.dumps(SOUND).encode(), bytes(7))", "garbled its answer", READER
    ),
    "answers with a header alone": Misbehaviour(
        "os.write(job_socket(), struct.pack('!i', 2) + b'{}'); os._exit(0)",
        "ended its process with exit code 0",
        READER,
    ),
    "answers with a length below zero": Misbehaviour(
        "os.write(job_socket(), struct.pack('!i', -7)); os._exit(0)", "ended its process with exit code 0", READER
    ),
    "steers a terminal and commands a log": Misbehaviour(
        "raise ValueError('x\\x1b[2J\\u202e\\n::error file=a::b ##[error]c')",
        "raised ValueError: x\\x1b[2J\\u202e\\n: :error file=a: :b ## [error]c",
        READER,
    ),
    "answers with a reason of its own": Misbehaviour(
        "answer(json.dumps(SOUND | {'reason': '\\n::error::' + 'x' * 9000}).encode())", "\\n: :error: :xxx", READER
    ),
}

MODEL = """
import numpy as np
from sklearn.base import BaseEstimator

OUTSIDE_FILE = {outside!r}
{helpers}
SOURCES = {sources!r}


class Model(BaseEstimator):
    def fit(self, kernels):
        exec(SOURCES[kernels["device_id"].iloc[0]], globals())
        return self

    def predict(self, kernels):
        return np.full(len(kernels), 2.0)
"""


def misbehaving_source(outside: str) -> str:
    """Source of a predictor that does what the device of its rows is called.

    Args:
        outside: path of a file that is none of its business.
    """
    sources = {name: found.source for name, found in MISBEHAVING.items()}
    return MODEL.format(outside=outside, helpers=HELPERS, sources=sources)

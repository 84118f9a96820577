"""The text of the worker pool: threads that sleep until there are chunks to compute.

A region is a task, the address of its arguments, and a number of chunks, at most ``MOST``. Who is
free takes a chunk: the calling thread the lowest that is left, workers the highest, so that with
two threads each meets the same memory again in the next region. The caller returns when all chunks
are done; it does not wait for a worker that has not woken by then.

One word, the ticket, says what is left: the region's number, the lowest chunk, and one past the
highest. A chunk is taken by exchanging the ticket for another, which fails if anything in it has
changed: so a worker that comes late takes nothing of a region that is over. Only after taking a
chunk does it read task and arguments, which stay as they are until all chunks are done.

One region runs at a time. Whoever comes while one runs, another thread or a chunk itself, computes
its chunks by itself, in order.
"""

from __future__ import annotations

import sys
from string import Template

MOST = 4095  # chunks of a region: 12 bits
WORKERS = 255
# A pause is 15 to 60 ns on today's processors. Workers that wait longer than some 60 us sleep. Who
# waits offers its core to others every few microseconds: a worker that wakes may be on the core of
# the caller that woke it, which otherwise stands still until the worker sleeps again.
PAUSES = 1500
POLITE = 63  # pauses between offers, of ones in binary

_PAUSE = {
    "x86": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "arm": ("declare void @llvm.aarch64.isb(i32)", "call void @llvm.aarch64.isb(i32 15)"),
    "other": ("", "fence seq_cst"),
}

_TEXT = Template(r"""
@ticket = internal global i64 0, align 128
@finished = internal global i64 0, align 128
@task = internal global ptr null, align 128
@arguments = internal global ptr null
@sleepers = internal global i64 0, align 128
@busy = internal global i64 0, align 128
@threads = internal global i64 1, align 128
@started = internal global i64 0
@stopping = internal global i64 0
@mutex = internal global [128 x i8] zeroinitializer, align 128
@condition = internal global [128 x i8] zeroinitializer, align 128
@handles = internal global [$workers x i64] zeroinitializer

declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @sched_yield()
$declaration

; Takes chunks until none is left, counted from below or from above; gives how many.
define internal i64 @take(i1 %below) {
entry:
  br label %next
next:
  %done = phi i64 [0, %entry], [%done, %lost], [%more, %taken]
  %seen = load atomic i64, ptr @ticket seq_cst, align 8
  %shifted = lshr i64 %seen, 12
  %low = and i64 %shifted, 4095
  %high = and i64 %seen, 4095
  %any = icmp ult i64 %low, %high
  br i1 %any, label %try, label %end
try:
  %step = select i1 %below, i64 4096, i64 -1
  %after = add i64 %seen, %step
  %pair = cmpxchg ptr @ticket, i64 %seen, i64 %after seq_cst seq_cst
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %taken, label %lost
lost:
  br label %next
taken:
  %last = sub i64 %high, 1
  %chunk = select i1 %below, i64 %low, i64 %last
  %function = load ptr, ptr @task
  %given = load ptr, ptr @arguments
  call void %function(ptr %given, i64 %chunk)
  %more = add i64 %done, 1
  br label %next
end:
  ret i64 %done
}

define internal ptr @work(ptr %me) {
entry:
  %number = ptrtoint ptr %me to i64
  br label %awake
awake:
  br label %look
look:
  %turn = phi i64 [0, %awake], [%following, %wait], [%following, %away]
  %stop = load atomic i64, ptr @stopping seq_cst, align 8
  %stops = icmp ne i64 %stop, 0
  br i1 %stops, label %end, label %allowed
allowed:
  %threads = load atomic i64, ptr @threads acquire, align 8
  %may = icmp ult i64 %number, %threads
  br i1 %may, label %begin, label %wait
begin:
  %done = call i64 @take(i1 false)
  %idle = icmp eq i64 %done, 0
  br i1 %idle, label %wait, label %report
report:
  %sum = atomicrmw add ptr @finished, i64 %done seq_cst
  br label %awake
wait:
  $pause
  %following = add i64 %turn, 1
  %part = and i64 %following, $polite
  %give = icmp eq i64 %part, 0
  br i1 %give, label %away, label %look
away:
  call i32 @sched_yield()
  %tired = icmp ugt i64 %following, $pauses
  br i1 %tired, label %sleep, label %look
sleep:
  call i32 @pthread_mutex_lock(ptr @mutex)
  %before = atomicrmw add ptr @sleepers, i64 1 seq_cst
  br label %check
check:
  %stop2 = load atomic i64, ptr @stopping seq_cst, align 8
  %stops2 = icmp ne i64 %stop2, 0
  %threads2 = load atomic i64, ptr @threads seq_cst, align 8
  %may2 = icmp ult i64 %number, %threads2
  %seen = load atomic i64, ptr @ticket seq_cst, align 8
  %shifted = lshr i64 %seen, 12
  %low = and i64 %shifted, 4095
  %high = and i64 %seen, 4095
  %any = icmp ult i64 %low, %high
  %wanted = and i1 %may2, %any
  %up = or i1 %stops2, %wanted
  br i1 %up, label %wake, label %doze
doze:
  call i32 @pthread_cond_wait(ptr @condition, ptr @mutex)
  br label %check
wake:
  %after = atomicrmw sub ptr @sleepers, i64 1 seq_cst
  call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %awake
end:
  ret ptr null
}

define internal void @wake_all() {
  call i32 @pthread_mutex_lock(ptr @mutex)
  call i32 @pthread_cond_broadcast(ptr @condition)
  call i32 @pthread_mutex_unlock(ptr @mutex)
  ret void
}

; Starts workers up to a number; if the system refuses, the number becomes what there is.
define internal void @start(i64 %wanted) noinline {
entry:
  %all = alloca [256 x i8], align 16
  %old = alloca [256 x i8], align 16
  call i32 @sigfillset(ptr %all)
  call i32 @pthread_sigmask(i32 $setmask, ptr %all, ptr %old)
  br label %next
next:
  %there = load i64, ptr @started
  %enough = icmp uge i64 %there, %wanted
  br i1 %enough, label %end, label %create
create:
  %handle = getelementptr [$workers x i64], ptr @handles, i64 0, i64 %there
  %number = add i64 %there, 1
  %me = inttoptr i64 %number to ptr
  %failed = call i32 @pthread_create(ptr %handle, ptr null, ptr @work, ptr %me)
  %good = icmp eq i32 %failed, 0
  br i1 %good, label %count, label %refused
count:
  store i64 %number, ptr @started
  br label %next
refused:
  store atomic i64 %number, ptr @threads seq_cst, align 8
  br label %end
end:
  call i32 @pthread_sigmask(i32 $setmask, ptr %old, ptr null)
  ret void
}

define void @region(ptr %task, ptr %arguments, i64 %chunks) {
entry:
  %threads = load atomic i64, ptr @threads seq_cst, align 8
  %single = icmp ule i64 %threads, 1
  %few = icmp ule i64 %chunks, 1
  %many = icmp ugt i64 %chunks, $most
  %either = or i1 %single, %few
  %alone = or i1 %either, %many
  br i1 %alone, label %serial, label %claim
claim:
  %pair = cmpxchg ptr @busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %owner, label %serial
owner:
  %wanted = sub i64 %threads, 1
  %there = load i64, ptr @started
  %enough = icmp uge i64 %there, %wanted
  br i1 %enough, label %publish, label %create
create:
  call void @start(i64 %wanted)
  br label %publish
publish:
  store ptr %task, ptr @task
  store ptr %arguments, ptr @arguments
  store atomic i64 0, ptr @finished seq_cst, align 8
  %seen = load atomic i64, ptr @ticket seq_cst, align 8
  %number = lshr i64 %seen, 24
  %following = add i64 %number, 1
  %high = shl i64 %following, 24
  %new = or i64 %high, %chunks
  store atomic i64 %new, ptr @ticket seq_cst, align 8
  %asleep = load atomic i64, ptr @sleepers seq_cst, align 8
  %anyone = icmp ne i64 %asleep, 0
  br i1 %anyone, label %call, label %compute
call:
  call void @wake_all()
  br label %compute
compute:
  %own = call i64 @take(i1 true)
  br label %wait
wait:
  %turn = phi i64 [0, %compute], [%after, %pause], [0, %yield]
  %others = load atomic i64, ptr @finished seq_cst, align 8
  %sum = add i64 %others, %own
  %complete = icmp eq i64 %sum, %chunks
  br i1 %complete, label %done, label %pause
pause:
  $pause
  %after = add i64 %turn, 1
  %tired = icmp ugt i64 %after, $polite
  br i1 %tired, label %yield, label %wait
yield:
  call i32 @sched_yield()
  br label %wait
done:
  store atomic i64 0, ptr @busy seq_cst, align 8
  ret void
serial:
  %none = icmp eq i64 %chunks, 0
  br i1 %none, label %end, label %loop
loop:
  %chunk = phi i64 [0, %serial], [%later, %loop]
  call void %task(ptr %arguments, i64 %chunk)
  %later = add i64 %chunk, 1
  %over = icmp eq i64 %later, %chunks
  br i1 %over, label %end, label %loop
end:
  ret void
}

define void @set_threads(i64 %count) {
  %low = icmp ult i64 %count, 1
  %some = select i1 %low, i64 1, i64 %count
  %high = icmp ugt i64 %some, $workers
  %good = select i1 %high, i64 $workers, i64 %some
  store atomic i64 %good, ptr @threads seq_cst, align 8
  ret void
}

; As at the beginning, without workers: for a new process, and for a child of `fork`.
define void @reset() {
  %first = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %second = call i32 @pthread_cond_init(ptr @condition, ptr null)
  store atomic i64 0, ptr @ticket seq_cst, align 8
  store atomic i64 0, ptr @sleepers seq_cst, align 8
  store atomic i64 0, ptr @stopping seq_cst, align 8
  store i64 0, ptr @started
  store atomic i64 0, ptr @busy seq_cst, align 8
  ret void
}

; Ends the workers. Regions are computed by their callers from then on.
define void @stop() {
entry:
  store atomic i64 1, ptr @threads seq_cst, align 8
  br label %claim
claim:
  %pair = cmpxchg ptr @busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %tell, label %later
later:
  call i32 @sched_yield()
  br label %claim
tell:
  store atomic i64 1, ptr @stopping seq_cst, align 8
  call void @wake_all()
  br label %next
next:
  %there = load i64, ptr @started
  %none = icmp eq i64 %there, 0
  br i1 %none, label %end, label %join
join:
  %last = sub i64 %there, 1
  %place = getelementptr [$workers x i64], ptr @handles, i64 0, i64 %last
  %handle = load i64, ptr %place
  call i32 @pthread_join(i64 %handle, ptr null)
  store i64 %last, ptr @started
  br label %next
end:
  store atomic i64 0, ptr @stopping seq_cst, align 8
  store atomic i64 0, ptr @busy seq_cst, align 8
  ret void
}
""")

# Where there are no POSIX threads.
_ALONE = r"""
define void @region(ptr %task, ptr %arguments, i64 %chunks) {
entry:
  %none = icmp eq i64 %chunks, 0
  br i1 %none, label %end, label %loop
loop:
  %chunk = phi i64 [0, %entry], [%later, %loop]
  call void %task(ptr %arguments, i64 %chunk)
  %later = add i64 %chunk, 1
  %over = icmp eq i64 %later, %chunks
  br i1 %over, label %end, label %loop
end:
  ret void
}
define void @set_threads(i64 %count) {
  ret void
}
define void @reset() {
  ret void
}
define void @stop() {
  ret void
}
"""


def text(platform: str = sys.platform, triple: str = "x86_64") -> str:
    """The module, for an operating system (as ``sys.platform`` names it) and a processor."""
    if platform not in ("linux", "darwin"):
        return _ALONE
    family = "arm" if triple.startswith(("aarch64", "arm64")) else "other"
    if triple.startswith(("x86_64", "i686")):
        family = "x86"
    return _TEXT.substitute(
        declaration=_PAUSE[family][0],
        pause=_PAUSE[family][1],
        pauses=PAUSES,
        polite=POLITE,
        most=MOST,
        workers=WORKERS,
        setmask=3 if platform == "darwin" else 2,  # SIG_SETMASK
    )

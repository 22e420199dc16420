"""The faults. Each does its harm while streams run, and undoes what does not undo itself."""
import json, shutil, signal, time, urllib.error, urllib.request

import stack as stacks
from stack import Failure, wait_for


class Fault:
    """One kind: what it does, whether it ends the gateway, and when it is possible."""

    # Whether streams may be cut: the gateway does not live through it.
    cuts = False
    # Whether new streams may be refused with 503 for a while.
    refuses = False
    # How many times as many streams it takes.
    crowd = 1

    def is_possible(self, stack):
        return True

    def before(self, stack):
        """Called before streams start."""

    def harm(self, stack, random):
        """Called while they run; returns how many faults it was."""
        raise NotImplementedError

    def after(self, stack):
        """Called when the streams are over."""


def freeze(programs):
    for program in programs:
        program.signal(signal.SIGSTOP)


def thaw(programs):
    for program in programs:
        program.signal(signal.SIGCONT)


def in_the_middle_of_batches(stack, random):
    """Lets records pile up for the billers, and returns at a random moment of their work on them."""
    freeze(stack.billers)
    time.sleep(random.uniform(1.0, 2.0))
    thaw(stack.billers)
    time.sleep(random.uniform(0, 0.06))


class GatewayKilled(Fault):
    name, cuts, refuses = "gateway: kill -9", True, True

    def harm(self, stack, random):
        count = random.choice((1, 1, 2))
        for _ in range(count):
            time.sleep(random.uniform(0.1, 1.3))
            stack.gateway.kill()
            stack.start_gateway()
        return count


class BillingKilled(Fault):
    name = "billing: kill -9 in the middle of a batch"

    def harm(self, stack, random):
        in_the_middle_of_batches(stack, random)
        for program in stack.billers:
            program.kill()
        stack.billers = []
        stack.add_biller()
        stack.add_biller()
        return 1


class BothKilled(Fault):
    name, cuts, refuses = "gateway and billing: kill -9", True, True

    def harm(self, stack, random):
        in_the_middle_of_batches(stack, random)
        for program in [stack.gateway, *stack.billers]:
            program.kill()
        stack.billers = []
        stack.start_gateway()
        stack.add_biller()
        stack.add_biller()
        return 1


class BillersSwapped(Fault):
    name = "billing: one of two killed, one added"

    def harm(self, stack, random):
        count = random.choice((1, 2))
        for _ in range(count):
            in_the_middle_of_batches(stack, random)
            stack.billers.pop(random.randrange(len(stack.billers))).kill()
            stack.add_biller()
        return count


class RedisFrozen(Fault):
    name = "Redis: SIGSTOP"

    def harm(self, stack, random):
        time.sleep(random.uniform(0.1, 0.8))
        freeze([stack.redis.program])
        time.sleep(random.uniform(0.5, 2.5))
        thaw([stack.redis.program])
        return 1


class RedisKilled(Fault):
    name = "Redis: kill -9"

    def harm(self, stack, random):
        count = random.choice((1, 2))
        for _ in range(count):
            time.sleep(random.uniform(0.1, 1.2))
            stack.redis.program.kill()
            time.sleep(random.uniform(0, 0.5))
            stack.redis.start()
        return count


class RedisRestarted(Fault):
    name = "Redis: restarted"

    def harm(self, stack, random):
        time.sleep(random.uniform(0.1, 1.5))
        stack.redis.program.stop()
        stack.redis.start()
        return 1


class RedisCut(Fault):
    name = "Redis: kill -9, last second of the AOF lost"

    def harm(self, stack, random):
        time.sleep(random.uniform(1.0, 2.2))
        stack.redis.program.kill()
        stack.redis.cut(seconds=1)
        stack.redis.start()
        return 1


class RedisFull(Fault):
    name = "Redis: out of memory"

    def harm(self, stack, random):
        time.sleep(random.uniform(0.1, 0.8))
        stack.redis.command("CONFIG", "SET", "maxmemory", "1mb")
        time.sleep(random.uniform(0.8, 2.0))
        return 1

    def after(self, stack):
        stack.redis.command("CONFIG", "SET", "maxmemory", "0")


class SpoolFull(Fault):
    # A file's last page has room for some records still.
    name, refuses, crowd = "disk full under the spool", True, 4

    def is_possible(self, stack):
        return stack.disk.is_small

    def harm(self, stack, random):
        time.sleep(random.uniform(0.1, 0.8))
        stack.disk.fill()
        wait_for("new streams to be refused", lambda: self._is_refused(stack), 15)
        return 1

    def _is_refused(self, stack):
        url = f"http://{stack.address[0]}:{stack.address[1]}/v1/chat/completions"
        body = json.dumps({"model": stacks.MODELS[0][0], "messages": [{"role": "user", "content": "x"}], "user": "refused"})
        request = urllib.request.Request(url, body.encode(), {
            "authorization": f"Bearer {stacks.key_of(stacks.ACCOUNTS[0])}", "content-type": "application/json",
        })
        ready = urllib.request.Request(f"http://{stack.address[0]}:{stack.address[1]}/readyz")
        try:
            urllib.request.urlopen(ready, timeout=10)
            return False
        except urllib.error.HTTPError as error:
            reasons = error.read().decode()
            if error.code != 503 or "cannot be stored" not in reasons:
                raise Failure(f"readyz says {error.code} {reasons}")
        try:
            urllib.request.urlopen(request, timeout=10)
            raise Failure("a stream was begun with the disk full")
        except urllib.error.HTTPError as error:
            reason = error.read().decode()
            if error.code != 503 or "cannot be stored" not in reason:
                raise Failure(f"refused with {error.code} {reason}")
        return True

    def after(self, stack):
        stack.disk.free()


class LedgerFull(Fault):
    name = "disk full under the ledger"

    def is_possible(self, stack):
        return stack.ledger_disk.is_small and not stack.postgresql

    def harm(self, stack, random):
        time.sleep(random.uniform(0.1, 0.8))
        stack.ledger_disk.fill()
        time.sleep(random.uniform(1.0, 2.0))
        return 1

    def after(self, stack):
        stack.ledger_disk.free()


class DatabaseRestarted(Fault):
    name = "PostgreSQL: restarted in the middle of a transaction"

    def is_possible(self, stack):
        return stack.postgresql is not None

    def harm(self, stack, random):
        count = random.choice((1, 2))
        for _ in range(count):
            in_the_middle_of_batches(stack, random)
            stack.postgresql.stop("immediate")
            stack.postgresql.start()
        return count


class ClockSetBack(Fault):
    name, cuts, refuses = "gateway: clock set back by minutes, then kill -9", True, True

    def is_possible(self, stack):
        return shutil.which("clang") is not None

    def before(self, stack):
        stack.gateway.stop()
        stack.start_gateway(clock=0)

    def harm(self, stack, random):
        time.sleep(random.uniform(0.2, 1.0))
        stack.set_clock(-600)
        time.sleep(random.uniform(0.3, 0.8))
        stack.gateway.kill()
        stack.start_gateway(clock=-900)
        return 1

    def after(self, stack):
        stack.gateway.stop()
        stack.start_gateway()


ALL = [
    GatewayKilled(), BillingKilled(), BothKilled(), BillersSwapped(), RedisFrozen(), RedisKilled(), RedisRestarted(),
    RedisCut(), RedisFull(), SpoolFull(), LedgerFull(), DatabaseRestarted(), ClockSetBack(),
]

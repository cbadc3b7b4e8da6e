"""The whole pad on the bench: what reaches lamps, flash and wire, and in which order."""

from firmware.board.app import RESTART, STOP
from firmware.board.touch import TOGETHER_MS
from firmware.core.journal import CAPACITY, Journal
from protocol.messages import Ack, CallClosed, CallOpened, Command, Health, PadStatus, Vote
from tests.portable.app_bench import ONE, TWO, Bench, ack
from tests.portable.firmware_bench import NOW_UNIX_MS, Pin, outbound


def test_it_starts_dark_and_tells_the_world_once_connected():
    bench = Bench()
    assert bench.board.trace[0] == "L000"
    status = bench.last(PadStatus)
    assert (status.state, status.phase, status.call) == ("online", "dark", None)
    assert (status.boot, status.journal, status.storage, status.buttons) == (1, bench.journal.id, "ok", "ok")


def test_a_press_reaches_lamps_then_flash_then_the_wire():
    bench = Bench().call().forget()
    bench.press(2)
    assert bench.board.trace == ["L010", "save", "sent vote", "sent status"]
    vote = bench.last(Vote)
    assert (vote.call, vote.rating, vote.journal, vote.seq) == (ONE, 2, bench.journal.id, 1)
    assert bench.journal.oldest() == vote


def test_status_follows_every_change_of_phase():
    bench = Bench().call()
    bench.press(1)
    bench.call(TWO)
    bench.hear("call", CallClosed(TWO, NOW_UNIX_MS))
    phases = [(message.phase, message.call) for message in bench.said if isinstance(message, PadStatus)]
    assert phases == [("dark", None), ("armed", ONE), ("voted", ONE), ("armed", TWO), ("dark", None)]


def test_the_status_is_retained_at_qos_1_and_health_is_neither():
    bench = Bench().after(61000)
    sent = [item for stream in bench.board.connector.streams for item in outbound(stream.sent)]
    assert {(kind, qos, retained) for kind, _, qos, retained in sent} == {("status", 1, 1), ("health", 0, 0)}


def test_no_flash_is_written_while_a_client_may_press():
    bench = Bench().call()
    bench.press(1)
    bench.call(TWO).forget()
    bench.hear("ack", ack(bench)).after(5000)
    assert "save" not in bench.board.trace
    assert bench.journal.depth == 1
    bench.hear("call", CallClosed(TWO, NOW_UNIX_MS))
    assert bench.board.trace == ["L000", "save", "sent status"]
    assert bench.journal.depth == 0


def test_an_ack_that_came_while_armed_is_written_together_with_the_next_vote():
    bench = Bench().call()
    bench.press(1)
    bench.call(TWO)
    bench.hear("ack", ack(bench)).forget()
    bench.press(3)
    assert bench.board.trace == ["L001", "save", "sent vote", "sent status"]
    assert (bench.journal.depth, bench.journal.oldest_seq) == (1, 2)


def test_an_acknowledged_vote_is_forgotten_and_not_sent_again():
    bench = Bench().call()
    bench.press(1)
    bench.hear("ack", ack(bench)).forget()
    bench.after(6000)
    bench.board.connector.streams[-1].ended = True
    bench.turn(None)
    bench.reconnect()
    bench.after(6000)
    assert "sent vote" not in bench.board.trace
    assert bench.journal.depth == 0


def test_votes_taken_offline_are_sent_in_order_one_by_one():
    bench = Bench()
    bench.call()
    bench.board.connector.streams[-1].ended = True
    bench.board.connector.refuses = True
    bench.press(1)
    assert not [message for message in bench.said if isinstance(message, Vote)]
    bench.board.connector.refuses = False
    bench.reconnect()
    bench.call(TWO)
    bench.press(3)
    assert bench.last(Vote).seq == 1
    bench.hear("ack", ack(bench))
    assert (bench.last(Vote).seq, bench.last(Vote).call) == (2, TWO)


def test_birth_is_said_on_every_connection():
    bench = Bench()
    for _ in range(3):
        bench.board.connector.streams[-1].ended = True
        bench.turn(None)
        bench.reconnect()
    births = [outbound(stream.sent)[0][1] for stream in bench.board.connector.streams]
    assert [(birth.state, birth.phase) for birth in births] == [("online", "dark")] * 4


def test_a_restart_in_a_voted_call_shows_the_same_lamp_and_sends_the_vote_again():
    bench = Bench().call()
    bench.press(3)
    first = bench.last(Vote)
    bench.board.connector.streams[-1].closed = True
    bench.forget().switch_on()
    bench.call()
    assert [entry for entry in bench.board.trace if entry[0] == "L"] == ["L000", "L001"]
    again = bench.last(Vote)
    assert again.journal == bench.last(PadStatus).journal != first.journal
    assert [(vote.call, vote.rating, vote.after_ms, vote.boot, vote.seq) for vote in (first, again)] == 2 * [
        (ONE, 3, first.after_ms, 1, 1)
    ]
    bench.press(1)
    assert bench.journal.depth == 1


def test_a_power_cut_between_lamp_and_flash_lets_the_client_press_again():
    bench = Bench().call()
    bench.store.failing = True
    bench.press(3)
    bench.store.failing = False
    bench.board.connector.streams[-1].closed = True
    bench.switch_on()
    bench.call()
    assert bench.board.lamps == "L111"


def test_a_surprise_in_the_loop_is_logged_and_the_pad_goes_on():
    bench = Bench().call()
    bench.store.failing = True
    bench.press(3)
    assert [line for line in bench.board.logged if line.startswith("error: RuntimeError")]
    bench.store.failing = False
    bench.reconnect()
    bench.call(TWO)
    assert bench.board.lamps == "L111"
    bench.press(1)
    assert bench.board.lamps == "L100"
    assert bench.journal.depth == 2


def test_garbage_on_every_topic_is_refused_counted_and_changes_nothing():
    bench = Bench().call()
    for kind in ("call", "ack", "command"):
        for payload in (b"", b"{", b"\xff", b"null", b'{"v":2}', b'{"v":1}', b"x" * 900, b"x" * 5000):
            bench.hear(kind, payload)
            for _ in range(4):
                bench.turn(lambda: None)
    assert bench.board.lamps == "L111"
    bench.hear("command", Command("r", "report"), retained=False)
    assert bench.last(Health).refused_messages == 24


def test_a_stale_retained_call_does_not_arm():
    bench = Bench()
    bench.hear("call", CallOpened(ONE, NOW_UNIX_MS - 7200000, NOW_UNIX_MS - 3600000))
    assert bench.board.lamps == "L000"


def test_a_pad_out_of_touch_does_not_take_the_next_clients_press_for_this_ones():
    bench = Bench().call()
    bench.board.connector.streams[-1].ended = True
    bench.board.connector.refuses = True
    bench.after(50000)
    assert bench.app._pad.lamps == (1, 1, 1)
    bench.after(12000)
    assert bench.app._pad.lamps == (0, 0, 0)
    bench.press(1)
    assert bench.journal.depth == 0
    bench.board.connector.refuses = False
    bench.reconnect()
    bench.call()  # the broker has kept it: it is open still
    bench.press(2)
    assert bench.last(Vote).rating == 2


def test_a_taken_vote_stays_lit_out_of_touch():
    bench = Bench().call()
    bench.press(3)
    bench.board.connector.streams[-1].ended = True
    bench.board.connector.refuses = True
    bench.after(120000)
    assert bench.app._pad.lamps == (0, 0, 1)


def test_without_a_clock_only_a_live_call_arms():
    bench = Bench()
    bench.board.now = None
    message = CallOpened(ONE, NOW_UNIX_MS, NOW_UNIX_MS + 5000)
    bench.hear("call", message, retained=True)
    assert bench.board.lamps == "L000"
    bench.hear("call", message, retained=False)
    assert bench.board.lamps == "L111"
    bench.after(6000)
    assert bench.board.lamps == "L000"


def test_identify_blinks_a_dark_pad():
    bench = Bench().forget()
    bench.hear("command", Command("i", "identify"), retained=False)
    for _ in range(12):
        bench.turn(None)
    assert bench.board.trace == ["L111", "L000"] * 4


def test_report_says_status_and_health_at_once():
    bench = Bench().forget()
    bench.hear("command", Command("r", "report"), retained=False)
    assert sorted(bench.board.trace) == ["sent health", "sent status"]


def test_a_retained_command_is_refused():
    bench = Bench()
    bench.hear("command", Command("r", "restart"))
    assert bench.ended == STOP


def test_restart_restarts():
    bench = Bench()
    bench.hear("command", Command("r", "restart"), retained=False)
    assert bench.ended == RESTART
    assert bench.board.connector.streams[-1].closed


def test_restart_waits_until_no_client_may_press():
    bench = Bench().call()
    bench.hear("command", Command("r", "restart"), retained=False).after(3000)
    assert bench.ended == STOP
    bench.turn(lambda: Pin.made[2].value(1))
    assert bench.ended == STOP
    bench.turn(lambda: bench.board.pass_ms(TOGETHER_MS))
    assert bench.ended == RESTART
    assert bench.journal.depth == 1


def test_health_counts_what_became_of_presses_and_comes_every_minute():
    bench = Bench()
    bench.press(1)
    bench.call()
    bench.press(2).press(1).press(3)
    bench.call(TWO, 1000).after(2000)
    bench.press(1)
    bench.after(61000)
    health = bench.last(Health)
    assert (health.votes, health.repeats, health.no_call, health.late) == (1, 2, 1, 1)
    assert (health.outbox, health.reconnects, health.signal_dbm) == (1, 0, None)
    assert 60 <= health.uptime_s <= 70
    assert (health.heap_used_bytes, health.heap_free_bytes) == (1000, 50000)
    count = len([message for message in bench.said if isinstance(message, Health)])
    bench.after(60000)
    assert len([message for message in bench.said if isinstance(message, Health)]) == count + 1


def test_a_held_button_is_reported_as_stuck_and_then_as_free():
    bench = Bench()
    bench.turn(lambda: Pin.made[2].value(1)).after(31000)
    assert bench.last(PadStatus).buttons == "stuck"
    bench.turn(lambda: Pin.made[2].value(0)).after(1000)
    assert bench.last(PadStatus).buttons == "ok"


def test_a_quick_tap_between_two_turns_is_not_lost():
    bench = Bench().call()

    def tap():
        Pin.made[1].value(1)
        bench.board.pass_ms(20)
        Pin.made[1].value(0)

    bench.turn(tap)
    assert bench.board.lamps == "L100"
    assert bench.journal.depth == 1


def test_a_full_journal_is_reported_and_the_pad_stays_dark_until_there_is_room():
    journal = Journal(b"abcd")
    for number in range(CAPACITY):
        journal.add("c000000000%06d" % number, 1, 0)
    bench = Bench(journal)
    bench.call()
    assert (bench.last(PadStatus).storage, bench.board.lamps) == ("full", "L000")
    bench.hear("ack", ack(bench, 10))
    bench.turn(lambda: None)
    assert bench.last(PadStatus).storage == "ok"
    bench.call(TWO)
    assert bench.board.lamps == "L111"


def test_an_ack_ahead_of_the_journal_starts_a_new_one_with_the_same_votes():
    bench = Bench().call()
    bench.press(2)
    old = bench.journal.id
    bench.hear("ack", Ack(old, 9, NOW_UNIX_MS))
    assert bench.board.connector.streams[-1].closed  # the broker's last will still names the old journal
    bench.after(2000)
    bench.reconnect()
    bench.after(11000)
    vote = bench.last(Vote)
    assert (vote.journal, vote.seq, vote.call) == (bench.journal.id, 1, ONE)
    assert vote.journal != old and bench.last(PadStatus).journal == vote.journal


def test_a_lost_record_is_reported_as_a_fault_and_votes_are_still_taken():
    bench = Bench()
    bench.store.condition = "fault"
    bench.call()
    bench.press(1)
    assert bench.last(PadStatus).storage == "fault"
    assert bench.journal.depth == 1


def test_no_log_line_has_the_password():
    bench = Bench().call()
    bench.press(1)
    assert not [line for line in bench.board.logged if "pw" in line]

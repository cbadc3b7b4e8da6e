"""The chips' board files, driven with stand-ins for machine and network: reasons of restarts, clock, pins, waking."""

import json
import os
import time

import chips

chips.install()

from firmware.board import chip, esp32_eth, esp32_wifi, pico2_w, pico_w  # noqa: E402
from firmware.board.crumb import LEFT  # noqa: E402
from firmware.board.touch import Touch  # noqa: E402
from protocol.messages import STEPS  # noqa: E402

BOARDS = (pico_w.Board, pico2_w.Board, esp32_wifi.Board, esp32_eth.Board)
RP2 = (pico_w.Board, pico2_w.Board)
ESP32 = (esp32_wifi.Board, esp32_eth.Board)
NOW_UNIX_MS = 1795300000123
machine = chips.machine


def switched_on(make):
    chips.forget()
    if make in RP2:
        machine.mem32[make.WATCHDOG + 0x0C] = 0x12345678  # noise
    else:
        chips.RTC.kept = b"noise"
    return make()


def restarted(make, cause):
    machine.cause = cause
    return make()


def said(board):
    return board.RESET, board.DURING


def test_power_is_the_reason_of_a_first_start_whatever_lies_in_the_registers():
    for make in BOARDS:
        assert said(switched_on(make)) == ("power", None)


def test_a_bite_is_named_with_its_step_on_every_board():
    for make in BOARDS:
        for step in STEPS:
            switched_on(make).mark(step)
            assert said(restarted(make, machine.WDT_RESET)) == ("watchdog", step)


def test_a_restart_that_was_meant_says_what_for():
    for make in BOARDS:
        for left in LEFT[1:]:
            board = switched_on(make)
            board.mark("network")
            board.leave(left)
            # A rp2 does machine.reset() by its watchdog.
            cause = machine.WDT_RESET if make in RP2 else machine.HARD_RESET
            assert said(restarted(make, cause)) == (left, "network" if left == "crash" else None)


def test_a_panic_of_the_interpreter_is_a_crash_on_an_esp32():
    for make in ESP32:
        switched_on(make).mark("storage")
        assert said(restarted(make, machine.HARD_RESET)) == ("crash", "storage")


def test_a_reset_from_the_prompt_of_a_new_board_is_not_blamed_on_the_watchdog():
    for make in RP2:
        chips.forget()
        machine.mem32[make.WATCHDOG + 0x0C] = 0
        assert said(restarted(make, machine.WDT_RESET)) == ("unknown", None)


def test_a_power_cut_after_a_bite_is_a_power_cut():
    for make in BOARDS:
        switched_on(make).mark("network")
        assert said(restarted(make, machine.PWRON_RESET)) == ("power", None)


def test_the_scratch_registers_are_where_the_datasheets_say():
    switched_on(pico_w.Board).mark("network")
    assert machine.mem32[0x4005800C] >> 16 == 0x5A50
    switched_on(pico2_w.Board).mark("network")
    assert machine.mem32[0x400D800C] >> 16 == 0x5A50


def test_the_watchdog_starts_with_the_first_feed_within_what_a_rp2_can_wait():
    for make in BOARDS:
        board = switched_on(make)
        assert chips.WDT.running == []
        board.feed_watchdog()
        board.feed_watchdog()
        assert chips.WDT.running == [chip.WATCHDOG_MS] and chips.WDT.fed == 2
        assert chip.WATCHDOG_MS <= 8000


def test_at_the_prompt_the_watchdog_is_called_off_or_made_patient():
    for make in BOARDS:
        board = switched_on(make)
        board.release_watchdog()  # it never ran: there is nothing to do
        assert chips.WDT.running == []
        board.feed_watchdog()
        board.release_watchdog()
        if make in RP2:
            assert machine.mem32[make.WATCHDOG + 0x3000] == 1 << 30
        else:
            assert chips.WDT.running[-1] == 3600000


def test_marking_allocates_nothing():
    import gc

    for make in BOARDS:
        board = switched_on(make)
        keep = []
        board._keep = keep.append  # the stand-ins allocate
        for step in STEPS:
            board.mark(step)
        del keep[:]
        gc.collect()
        before = gc.mem_alloc()
        for step in STEPS:
            board.mark(step)
        assert gc.mem_alloc() == before
        assert len(keep) == len(STEPS)


def test_the_clock_is_unknown_until_it_is_set_and_then_keeps_milliseconds():
    for make in BOARDS:
        board = switched_on(make)
        board._known = False  # this machine's own clock is set
        assert board.now_unix_ms() is None
        board.set_clock(NOW_UNIX_MS, False)
        assert board.now_unix_ms() is None
        board.set_clock(NOW_UNIX_MS, True)
        assert 0 <= board.now_unix_ms() - NOW_UNIX_MS < 1000
        # By what the chip's own clock says, TLS reads certificates: 2026-11-21 22:26:40 UTC, a Saturday.
        assert chips.RTC.set_to == (2026, 11, 21, 5, 22, 26, 40, 0)


def test_no_pin_has_two_jobs_and_none_is_the_chips_own():
    forbidden = {
        "pico-w": {23, 24, 25, 29},  # its radio
        "pico2-w": {23, 24, 25, 29},
        # Flash, UART of the prompt, straps; of the second board also Ethernet.
        "esp32-wifi": {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 15, 34, 35, 36, 39},
        "esp32-eth": {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 15, 17, 18, 19, 21, 22, 23, 25, 26, 27, 34, 35, 36, 39},
    }
    for make in BOARDS:
        used = make.BUTTON_IDS + make.LAMP_IDS
        assert len(set(used)) == 6
        assert not set(used) & forbidden[make.NAME]


def test_buttons_pull_up_and_only_a_rp2_asks_for_hard_interrupts():
    for make in BOARDS:
        board = switched_on(make)
        Touch(board)
        assert chips.Pin.hard == (make in RP2)
        for number in board.BUTTON_IDS:
            assert (chips.Pin.IN, chips.Pin.PULL_UP) in chips.Pin.made[number]


def test_lamps_are_dimmed_and_go_out_from_an_interrupt():
    for make in BOARDS:
        lamp = switched_on(make).lamp(make.LAMP_IDS[0])
        pwm = chips.PWM.made[make.LAMP_IDS[0]]
        assert pwm.duty == 0
        lamp.light(100)
        assert pwm.duty == 65535
        lamp.light(50)
        assert 32000 < pwm.duty < 33000
        lamp.off()
        assert pwm.duty == 0


def test_a_button_that_moves_ends_the_wait_and_one_that_stays_does_not():
    for make in BOARDS:
        board = switched_on(make)
        began = time.ticks_ms()
        board.wait(30)
        assert time.ticks_diff(time.ticks_ms(), began) >= 30
        for level in (0, 1):
            chips.Pin.levels[make.BUTTON_IDS[1]] = level
            began = time.ticks_ms()
            board.wait(20000)
            assert time.ticks_diff(time.ticks_ms(), began) < 10000
        board.wait(0)


def test_ethernet_is_made_as_the_olimex_board_is_wired():
    made = esp32_eth.Board().interface().named
    numbers = {name: made[name].number for name in ("mdc", "mdio", "power", "ref_clk")}
    assert numbers == {"mdc": 23, "mdio": 18, "power": 12, "ref_clk": 17}
    assert (made["phy_type"], made["phy_addr"], made["ref_clk_mode"]) == (8720, 0, chips.Pin.OUT)


class Switched(Exception):
    """Somebody pulled the plug."""


def pad_in(make, **settings):
    """A root with that board's pad.json; the pad that starts from it stops in its third wait."""
    board = switched_on(make)
    root = "/tmp/zrazkovo-chip-%d" % int.from_bytes(os.urandom(4), "big")
    os.mkdir(root)
    given = {"desk": "desk-1", "broker_host": "10.0.0.1", "broker_port": 1883, "password": "pw"}
    given.update({"network": "ethernet"} if make is esp32_eth.Board else {"network": "wifi", "wifi_ssid": "office"})
    given.update(settings)
    with open(root + "/pad.json", "w") as file:
        file.write(json.dumps(given))
    return board, root


def remove(folder):
    for name in os.listdir(folder):
        if os.stat(folder + "/" + name)[0] & 0x4000:
            remove(folder + "/" + name)
        else:
            os.remove(folder + "/" + name)
    os.rmdir(folder)


def test_every_board_starts_the_whole_pad_and_ctrl_c_calls_its_watchdog_off():
    for make in BOARDS:
        board, root = pad_in(make)
        turns = []

        def wait(timeout_ms):
            turns.append(timeout_ms)
            if len(turns) == 3:
                raise KeyboardInterrupt
            return True

        board.wait = wait
        try:
            chip.run(board, root, "normal")
            raise AssertionError("it must get out")
        except KeyboardInterrupt:
            pass
        assert chips.WDT.fed >= 3
        assert board._dog is None
        assert board.network._interface.is_active
        assert said(restarted(make, machine.WDT_RESET)) == ("soft", None)
        remove(root)


def test_a_crash_at_the_start_is_left_for_the_next():
    for make in BOARDS:
        board, root = pad_in(make)

        def random_bytes(count):
            raise RuntimeError("spoiled")

        board.random_bytes = random_bytes
        try:
            chip.run(board, root, "normal")
            raise AssertionError("it must get out")
        except RuntimeError:
            pass
        assert said(restarted(make, machine.WDT_RESET)) == ("crash", "starting")
        remove(root)


def test_a_pad_json_of_another_kind_of_board_is_refused():
    board, root = pad_in(esp32_eth.Board, network="wifi", wifi_ssid="office")
    logged = []
    board.log = logged.append
    assert chip.run(board, root, "normal") == 2
    assert "network must be ethernet" in logged[-1]
    remove(root)

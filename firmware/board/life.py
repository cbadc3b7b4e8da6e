"""One start of the application: settings, journal, and then the pad's loop, or safe mode's. The same on every board."""

from firmware.board import config
from firmware.board.store import Store
from firmware.board.tls import BadCertificate
from firmware.board.update import Updater
from firmware.boot import RESTART, SAFE, read_record, save_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.board.app import App
    from firmware.board.contract import Board, Connector
    from firmware.board.safe import SafeApp

# Exit codes: switched off; the pad's settings cannot be used, and starting again would not help.
OFF, BAD_SETTINGS = 0, 2


def run(
    board: "Board",
    root: str,
    mode: str,
    settings_path: str,
    connect: "Callable[[config.Config], Connector]",
    lost: bool = False,
) -> "int | str":
    """Works until the pad is switched off or is to be started again; returns OFF, BAD_SETTINGS or RESTART.

    Args:
        root: the folder of the pad's flash, without a slash at its end.
        mode: loader.NORMAL or loader.SAFE.
        connect: makes the board's connector.
        lost: what was on the flash is gone.
    """
    try:
        with open(settings_path, "rb") as file:
            text = file.read()
    except OSError:
        board.log("pad.json cannot be read")
        return BAD_SETTINGS
    try:
        settings = config.parse(text)
        board.connector = connect(settings)
        updater = Updater(root, board, is_safe=mode == SAFE)
        outcome = _make(settings, board, root, mode, lost, updater).run()
    except (config.ConfigError, BadCertificate) as error:
        board.log(str(error))
        return BAD_SETTINGS
    except Exception as error:  # perhaps a passing one, of the network's driver or for want of memory
        board.log("crash: %r" % error)
        board.leave("crash")
        raise
    if outcome != "restart":
        return OFF
    board.leave("update" if updater.is_switching else "soft")
    record = read_record(root)
    record.announced = True
    save_record(root, record)
    return RESTART


def _make(
    settings: "config.Config", board: "Board", root: str, mode: str, lost: bool, updater: Updater
) -> "App | SafeApp":
    store = Store(root, board.random_bytes, lost)
    # Imported here: safe mode must not need what may be the reason for it, and neither needs the other's memory.
    if mode == SAFE:
        from firmware.board.safe import SafeApp

        return SafeApp(settings, board, store, root, updater)
    from firmware.board.app import App

    return App(settings, board, store, updater)

"""The words of what the command line prints; its help and errors are English. Part of `words`."""

from typing import Final

SHELL: Final = {
    "no": "no",
    "shell_capture": "{name}: {connections} in {packets}",
    "shell_connections": "{count} connections",
    "shell_connections_one": "{count} connection",
    "shell_packets": "{count} packets",
    "shell_packets_one": "{count} packet",
    "shell_not_read": "(not read: {skipped})",
    "shell_begin": "Time 0 is {date}. A ? is what the capture cannot know.",
    "shell_start": "start s",
    "shell_opened": "opened",
    "shell_closed_first": "closed first",
    "shell_ended": "ended",
    "shell_resent": "resent",
    "shell_lost": "lost",
    "shell_ends": "client -> server",
}

"""The command line, `python -m qwenvl`: the library's words as sentences. One file a subcommand.

    plan page.png --of Qwen2-VL-7B               what it would cost, without weights
    ask "What is this?" --about cat.png          an answer
    trace "What is this?" --about cat.png --into cat.run
    look cat.run --site language --layer 2 --query 17
    show cat.run --into cat.svg                  a view for print, or the page as one HTML file
    compare "What is this?" --about cat.png --into both.html
    serve cat.run                                the page on saved runs

What was asked for goes to standard output, how it goes to standard error. Files appear whole or not at all.

Exit codes: 0 done; 1 a defect of this program; 2 a wrong argument; 3 what was asked cannot be done, and one sentence
says why; 130 interrupted; 143 ended by SIGTERM.
"""

from qwenvl.cli.main import main

__all__ = ["main"]

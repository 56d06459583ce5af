"""Defines the errors a user can cause; each says in one sentence what is wrong and what to do."""


class UserError(ValueError):
    """The root of them: catch this to tell a user's mistake from a defect."""


class MediaError(UserError):
    """A picture or clip that cannot be read, or has a size no model accepts."""


class PromptError(UserError):
    """A conversation that cannot be asked: empty, out of order, or longer than the context."""


class CheckpointError(UserError):
    """A folder, preset or file of weights that cannot be loaded."""


class RunError(UserError):
    """A question about a run that it cannot answer: no such site, layer or token, or a file that is not a run."""

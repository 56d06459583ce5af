"""The ring of inference: the pipeline that asks a model, and `Run`, the public face of kernel and analyses."""

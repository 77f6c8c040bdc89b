"""What the product can do, as functions: a request in, data out. No function here prints, reads arguments or sets up its process: a
command (``pipeline.commands``), a web server or a notebook may call it, from any thread."""

"""The site: ``sphinx-build -W -c docs . build/site``; the root is the source, so that links work as they stand."""

import stress

project = "fundstress"
author = "The fundstress authors"
version = release = stress.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc", "myst_nb"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "notebooks/*.ipynb", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"]
exclude_patterns = [".venv/**", "build/**", "runs/**"]
html_theme = "pydata_sphinx_theme"
html_title = "fundstress"
html_show_sourcelink = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # the tests run them; a site with figures: -D nb_execution_mode=auto

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False

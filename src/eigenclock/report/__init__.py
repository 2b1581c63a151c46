"""Pictures and pages: matplotlib displays for papers, one self-contained HTML page for a run."""

"""edx2lrs: the folders of this checkout are the packages of ``edx2lrs``."""

from setuptools import find_packages, setup

setup(
    name="edx2lrs",
    version="0.1.0",
    description="Open edX tracking events to every Learning Record Store, as xAPI statements and Caliper events",
    python_requires=">=3.10,<3.14",
    package_dir={"edx2lrs": "."},
    packages=[f"edx2lrs.{package}" for package in find_packages(include=["io*", "pipeline*", "transforms*"])],
    package_data={"": ["examples/*.json"], "edx2lrs.pipeline.sandbox": ["templates/*.html", "*.css"]},
    install_requires=[
        "apache-beam>=2.77,<2.78",
        "aniso8601>=10",
        "cheroot>=11",
        "fastavro>=1.12",
        "google-cloud-pubsub>=2.30",
        "Jinja2>=3.1",
        "msgspec>=0.22",
        "numpy>=1.26",
        "orjson>=3.11",
        "prometheus-client>=0.22",
        "PyYAML>=6.0.2",
        "requests>=2.34",
        "werkzeug>=3.1",
        "xxhash>=3.5",
        "zlib-ng>=1",
        "zstandard>=0.25",
    ],
    extras_require={
        "aws": ["apache-beam[aws]>=2.77,<2.78"],
        "gcp": ["apache-beam[gcp]>=2.77,<2.78", "google-auth>=2"],
        "kafka": ["confluent-kafka>=2.6"],
        "redis": ["redis>=6"],
        "test": [
            "mypy==2.4.1",
            "pyhamcrest==2.1.0",
            "pytest==9.2.0",
            "pytest-xdist==3.8.0",
            "ruff==0.17.5",
            "tincan==1.0.0",
            "types-PyYAML==6.0.12.20261113",
            "types-requests==2.33.0.20261030",
        ],
    },
    entry_points={"console_scripts": ["edx2lrs = edx2lrs.pipeline.cli:main"]},
)

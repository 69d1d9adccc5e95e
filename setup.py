"""Package metadata. Tool settings are in pyproject.toml, exact pins in requirements.txt."""

from __future__ import annotations

import ast
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent


def version() -> str:
    """Read `__version__` without importing the package, whose libraries may not be installed yet."""
    tree = ast.parse((HERE / "sidecar" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    raise SystemExit("sidecar/__init__.py defines no __version__")


def long_description() -> str:
    """Return the README, or nothing in a tree that has none."""
    readme = HERE / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


POSTGRESQL = ["psycopg[binary]>=3.3,<4"]

setup(
    name="claude-sidecar",
    version=version(),
    description="Run Claude Code sessions for ServiceNow, next to a MID Server",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    author="claude-sidecar contributors",
    license="MIT",
    license_files=["LICENSE"],
    packages=find_packages(include=["sidecar", "sidecar.*"]),
    # Alembic's versions folder is data: its files are found by path and never imported by name.
    package_data={
        "sidecar": [
            "py.typed",
            "**/*.css",
            "**/*.html",
            "**/*.js",
            "**/*.json",
            "**/*.mako",
            "**/*.md",
            "storage/migrations/**/*.py",
        ]
    },
    python_requires=">=3.11",
    install_requires=[
        "alembic>=1.20,<2",
        "cryptography>=50",
        "flask>=3.1,<4",
        "flask-cors>=6,<7",
        # The control socket that must be switched off, and its setting, are of 27.
        "gunicorn>=27,<28",
        "joserfc>=1.8,<2",
        "pexpect>=4.9,<5",
        # 0.x: every minor release may break.
        "prometheus-client>=0.26,<0.27",
        "pydantic>=2.14,<3",
        # 0.x: every minor release may break.
        "pyte>=0.8.2,<0.9",
        "python-dotenv>=1.2,<2",
        "python-json-logger>=4.2,<5",
        "requests>=2.34,<3",
        "sqlalchemy>=2.1,<3",
    ],
    extras_require={
        "postgresql": POSTGRESQL,
        "test": [
            *POSTGRESQL,
            "hypothesis>=6.170",
            "matplotlib>=3.11,<4",
            "mypy>=2.4,<3",
            # 0.x: every minor release may break.
            "openapi-schema-validator>=0.9,<0.10",
            "openapi-spec-validator>=0.9,<0.10",
            "playwright>=1.65,<2",
            "pytest>=9.2,<10",
            "pytest-flask>=1.3,<2",
            "pytest-timeout>=2.4,<3",
            "pytest-xdist>=3.8,<4",
            "rich>=15,<16",
            "ruff>=0.17,<0.18",
            "schemathesis>=4.32,<5",
            "terminado>=0.18.1,<0.19",
            "types-pexpect>=4.9",
            "types-requests>=2.33",
        ],
    },
    entry_points={"console_scripts": ["claude-sidecar = sidecar.cli:main"]},
    classifiers=[
        "Framework :: Flask",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
)

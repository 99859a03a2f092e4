// What commands need of CLI11, which takes long to compile: headers name its classes, and only sources include this.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

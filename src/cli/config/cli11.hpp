// What commands need of CLI11. It takes long to compile: headers have cli11_names.hpp, and only sources include this.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

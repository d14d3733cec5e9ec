namespace Gantry.EndToEnd.Tests;

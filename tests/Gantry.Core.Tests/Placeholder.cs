namespace Gantry.Core.Tests;

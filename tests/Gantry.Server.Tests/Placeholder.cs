namespace Gantry.Server.Tests;

namespace Gantry.Storage.Tests;

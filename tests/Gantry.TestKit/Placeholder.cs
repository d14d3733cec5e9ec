namespace Gantry.TestKit;

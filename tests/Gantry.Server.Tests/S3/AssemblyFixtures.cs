using Gantry.TestKit;

[assembly: AssemblyFixture(typeof(S3Server))]

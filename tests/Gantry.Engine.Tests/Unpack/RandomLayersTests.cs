using Gantry.Layers;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>Root, and a kernel with overlayfs: what the mount of the layers shows must be what the flat extraction gives.</summary>
[Trait("Speed", "Slow")]
public sealed class RandomLayersTests
{
    private const int Chains = 250;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Pull", "B7")]
    [Trait("Pull", "C5")]
    [Trait("Pull", "C8")]
    public void RandomChains_FlatAndOverlay_AreEqualAndStayInside(int seed)
    {
        var accepted = 0;
        var random = new RandomLayers(seed);
        for (var chain = 0; chain < Chains; chain++)
        {
            using var sandbox = new UnpackSandbox();
            var layers = random.Chain();
            var (flat, overlay, refusal) = ("", "", "");
            try
            {
                flat = sandbox.Flat(layers).ToString();
            }
            catch (LayerException fault)
            {
                refusal = fault.Message;
            }

            try
            {
                overlay = sandbox.Overlay(new(), layers).ToString();
            }
            catch (Exception fault)
            {
                Assert.True(fault is LayerException && refusal.Length > 0, $"seed {seed}, chain {chain}\n{string.Join('\n', random.Log)}\n{fault}");
            }

            sandbox.AssertCanaries();
            if (refusal.Length > 0) continue;
            accepted++;
            Assert.True(flat == overlay, $"seed {seed}, chain {chain}\n{string.Join('\n', random.Log)}\n--- flat\n{flat}\n--- overlay\n{overlay}");
        }

        Assert.True(accepted > Chains / 4, $"only {accepted} of {Chains} chains were accepted");
    }
}

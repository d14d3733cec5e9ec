namespace Gantry.Server.V2;

/// <summary>Tells that this is a registry, to those who may ask (distribution-spec, "Determining Support").</summary>
internal static class BaseEndpoint
{
    public static Task GetAsync(V2Request request)
    {
        request.Response.ContentType = "application/json";
        request.Response.ContentLength = 2;
        return request.Response.BodyWriter.WriteAsync("{}"u8.ToArray(), request.Aborted).AsTask();
    }
}
